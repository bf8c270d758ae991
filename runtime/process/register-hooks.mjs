// In: every import of an ES module. Out: ferronext for the user's own `next`. Runs on Node's loader thread, where Node has
// no hooks of the main thread (before 22.15).

import userCode from './user-code.js'

let ferronext = ''
/** @type {import('node:worker_threads').MessagePort | undefined} */
let port

/** @param {{ ferronext: string, port?: import('node:worker_threads').MessagePort }} data */
export function initialize(data) {
  ferronext = data.ferronext
  port = data.port
}

/**
 * @param {string} specifier
 * @param {{ parentURL?: string }} context
 * @param {(specifier: string, context: object) => Promise<{ url: string }>} nextResolve
 */
export async function resolve(specifier, context, nextResolve) {
  if (specifier === 'next' && userCode.isUserCode(context.parentURL)) {
    return { url: ferronext, format: 'commonjs', shortCircuit: true }
  }
  const resolved = await nextResolve(specifier, context)
  port?.postMessage(resolved.url)
  return resolved
}
