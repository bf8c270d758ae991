// In: for each entry, whether a fast path is on, and why not. Out: the values of the metric `ferronext_fast_paths`, and for `ferronext info` the
// fast paths of a version of `next`.

/**
 * @typedef {'prepare' | 'cache' | 'route_handler' | 'api_route' | 'middleware' | 'react' | 'document'} Path
 * @typedef {'app' | 'version' | 'environment'} Reason why a fast path is off: the app or the entry needs upstream's code; this version of
 *   `next` is not known to give the same answers; `FERRONEXT_LEAN=0`
 */

/**
 * Every fast path in plain words, and whether a version of `next` has it, by its capabilities.
 * @type {Record<Path, { name: string, isKnown?: (can: Record<string, boolean>) => boolean | undefined }>}
 */
const PATHS = {
  prepare: { name: 'preparation of entries' },
  cache: {
    name: 'cache of entries',
    isKnown: can => can.entriesExpectIncrementalCache || can.supportsPreviewProps,
  },
  route_handler: { name: 'route handlers', isKnown: can => can.isHandlerContextKnown },
  api_route: { name: 'API routes' },
  middleware: { name: 'middleware' },
  react: { name: "React's build for Node" },
  document: { name: 'document around pages', isKnown: can => can.isDocumentOutermost },
}

/** The counted state of each entry. @type {WeakMap<object, Map<Path, Reason | 'on'>>} */
const counted = new WeakMap()

/**
 * Counts a fast path of an entry; replaces its earlier state.
 * @param {typeof import('../../native')} native
 * @param {object} entry
 * @param {Path} path
 * @param {Reason} [reason] why it is off; without one it is on
 */
function countFastPath(native, entry, path, reason) {
  const paths = counted.get(entry) ?? new Map()
  const before = paths.get(path)
  const now = reason ?? 'on'
  if (before === now) return
  counted.set(entry, paths.set(path, now))
  if (before !== undefined) record(native, path, before, -1)
  record(native, path, now, 1)
}

/** @param {typeof import('../../native')} native @param {Path} path @param {Reason | 'on'} state @param {number} delta */
const record = (native, path, state, delta) =>
  state === 'on' ? native.recordFastPath(path, 'on', '', delta) : native.recordFastPath(path, 'off', state, delta)

/**
 * The names of the fast paths that entries of a version take, and of those that the version switches off.
 * @param {Record<string, boolean>} can what the version of `next` does
 */
function fastPathsOf(can) {
  const all = Object.values(PATHS)
  const on = all.filter(({ isKnown }) => isKnown === undefined || isKnown(can))
  return { on: on.map(({ name }) => name), off: all.filter(path => !on.includes(path)).map(({ name }) => name) }
}

module.exports = { PATHS, countFastPath, fastPathsOf }
