// In: every import of an ES module. Out: ferronext for the user's own `next`. Runs on Node's loader thread.

let ferronext = ''
let root = ''

/** @param {{ ferronext: string, root: string }} data */
export function initialize(data) {
  ferronext = data.ferronext
  root = `${data.root.replace(/\/$/, '')}/`
}

/**
 * @param {string} specifier
 * @param {{ parentURL?: string }} context
 * @param {(specifier: string, context: object) => Promise<object>} nextResolve
 */
export async function resolve(specifier, context, nextResolve) {
  if (specifier === 'next') {
    const parent = context.parentURL ?? ''
    if (!/\/node_modules\//.test(parent) && !parent.startsWith(root)) {
      return { url: ferronext, format: 'commonjs', shortCircuit: true }
    }
  }
  return nextResolve(specifier, context)
}
