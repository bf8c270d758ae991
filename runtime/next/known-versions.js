// In: the user's `next`. Out: what is known of its version. A version that is not supported is an error, a vulnerable one is reported in one line.

/**
 * The versions on which the tests ran, by line: the last patch of each, and others beside them.
 * @type {Record<string, string>}
 */
const TESTED = require('./tested-versions.json')

/** The newest release among them. */
const LAST_TESTED = /** @type {string} */ (Object.values(TESTED).find(version => !version.includes('-')))

/** Versions that were reported in this process. @type {Set<string>} */
const warned = new Set()

/**
 * @param {typeof import('../native')} native
 * @param {import('./package').NextPackage} next
 * @returns {{ exitsWithSignal: boolean, advisory?: string, untested?: string }}
 */
function checkNext(native, next) {
  const known = native.checkVersion(next.version)
  if (known.advisory && !warned.has(next.version)) {
    warned.add(next.version)
    // Even with `quiet`.
    console.error(`⚠ FERRONEXT_VULNERABLE_NEXT: ${known.advisory}`)
  }
  return { ...known, untested: untested(next.version) }
}

/**
 * The description of an untested version; `undefined` for a tested one.
 * @param {string} version
 */
const untested = version =>
  Object.values(TESTED).includes(version)
    ? undefined
    : `not yet tested with next ${version}; last tested ${lastTested(version)}`

/** The tested version of the same line, else the newest. @param {string} version */
const lastTested = version => TESTED[version.split('.', 2).join('.')] ?? LAST_TESTED

module.exports = { checkNext, lastTested, untested }
