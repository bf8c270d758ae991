// In: what is found out about an entry while it answers: whether a fast path around it is taken, and why not. Out: the counts of the
// metric `ferronext_fast_paths`, and for `ferronext info` the fast paths that a version of `next` does not have.

/**
 * @typedef {'prepare' | 'cache' | 'route_handler' | 'api_route' | 'react' | 'document'} Path
 * @typedef {'app' | 'version' | 'environment'} Reason why a fast path is off: the app or the entry needs upstream's way; this version of
 *   `next` is not known to answer alike; `FERRONEXT_LEAN=0`
 */

/**
 * Every fast path in plain words, with the versions of `next` that have it. `null` for the end: to the newest.
 * @type {Record<Path, { name: string, ranges: [string, string | null][] }>}
 */
const PATHS = {
  prepare: { name: 'preparation of entries', ranges: [['15.5.0', null]] },
  cache: {
    name: 'cache of entries',
    ranges: [
      ['15.5.0', '16.2.0'],
      ['16.4.0', null],
    ],
  },
  route_handler: { name: 'route handlers', ranges: [['16.4.0', null]] },
  api_route: { name: 'API routes', ranges: [['15.5.0', null]] },
  react: { name: "React's build for Node", ranges: [['15.5.0', null]] },
  document: { name: 'document around pages', ranges: [['16.0.0', null]] },
}

/** What is counted now, by entry. @type {WeakMap<object, Map<Path, Reason | 'on'>>} */
const counted = new WeakMap()

/**
 * Counts a fast path of an entry, in the place of what was counted before.
 * @param {any} native
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

/** @param {any} native @param {Path} path @param {Reason | 'on'} state @param {number} delta */
const record = (native, path, state, delta) =>
  state === 'on' ? native.recordFastPath(path, 'on', '', delta) : native.recordFastPath(path, 'off', state, delta)

/**
 * The names of the fast paths that entries of a version take, and of those that the version switches off.
 * @param {string} version of `next`
 */
function fastPathsOf(version) {
  const isIn = (/** @type {[string, string | null]} */ [first, end]) =>
    compare(version, first) >= 0 && (end === null || compare(version, end) < 0)
  const all = Object.values(PATHS)
  const on = all.filter(({ ranges }) => ranges.some(isIn))
  return { on: on.map(({ name }) => name), off: all.filter(path => !on.includes(path)).map(({ name }) => name) }
}

/** By major, minor and patch: a canary has what its release has. @param {string} a @param {string} b */
function compare(a, b) {
  const [left = [], right = []] = [a, b].map(version => version.split(/[-+]/, 1).join().split('.').map(Number))
  const at = left.findIndex((part, index) => part !== right[index])
  return at === -1 ? 0 : Number(left[at]) - Number(right[at])
}

module.exports = { PATHS, countFastPath, fastPathsOf }
