// In: the user's `next`. Out: what Rust knows of its version, after an error for one that cannot be served and one loud line for one
// that is known to be dangerous.

/** Versions that this process has warned of. @type {Set<string>} */
const warned = new Set()

/**
 * @param {any} native
 * @param {import('./next-package').NextPackage} next
 * @returns {{ exitsWithSignal: boolean, advisory?: string }}
 */
function checkNext(native, next) {
  const known = native.checkVersion(next.version)
  if (known.advisory && !warned.has(next.version)) {
    warned.add(next.version)
    // Whatever `quiet` says.
    console.error(`⚠ FERRONEXT_VULNERABLE_NEXT: ${known.advisory}`)
  }
  return known
}

module.exports = { checkNext }
