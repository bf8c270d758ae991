// In: the published versions of `next`, and what ferronext says against a version. Out: those that a release carries, and the canary that
// the nightly run takes. Asks nobody: the list comes from `publishedVersions` in npm.mjs.

/** How many patches of each line a release carries: the last one, and the one that most apps are still on when it comes out. */
const PATCHES = 2

/**
 * Why there is no `@ferronext/next` of a version; `undefined` if there may be one.
 *
 * @typedef {(version: string) => (Error & { code: string }) | undefined} Objection
 */

/**
 * Negative if `a` came before `b`; a canary comes before its release.
 *
 * @param {string} a
 * @param {string} b
 */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map(version => version.split('-canary.').flatMap(part => part.split('.').map(Number)))
  for (let i = 0; i < 4; i++) {
    const difference = (left?.[i] ?? Number.POSITIVE_INFINITY) - (right?.[i] ?? Number.POSITIVE_INFINITY)
    if (difference) return difference
  }
  return 0
}

/**
 * The last patches of every minor line, oldest first. A line of which every patch is dangerous has none.
 *
 * @param {string[]} published
 * @param {Objection} objection
 */
export function defaultVersions(published, objection) {
  const releases = published.filter(version => /^\d+\.\d+\.\d+$/.test(version) && !objection(version))
  /** @type {Map<string, string[]>} */
  const lines = new Map()
  for (const version of releases.toSorted(compareVersions)) {
    const line = version.split('.', 2).join('.')
    lines.set(line, [...(lines.get(line) ?? []), version].slice(-PATCHES))
  }
  return [...lines.values()].flat()
}

/**
 * Throws for the first version that must not be carried, or that does not exist.
 *
 * @param {string[]} versions
 * @param {string[]} published
 * @param {Objection} objection
 */
export function checkVersions(versions, published, objection) {
  for (const version of versions) {
    const error = objection(version)
    if (error) throw error
    if (published.includes(version)) continue
    const line = version.split('.', 2).join('.')
    const [last] = published.filter(other => other.startsWith(`${line}.`)).toSorted((a, b) => compareVersions(b, a))
    const beside = last ? `the last of its line is ${last}` : `there is no ${line}`
    throw Object.assign(new Error(`next ${version} is not published; ${beside}.`), { code: 'FERRONEXT_BAD_ARGUMENT' })
  }
}

/**
 * The highest canary. Not the tag `canary`: a mirror of the registry may hold the versions without it.
 *
 * @param {string[]} published
 */
export function newestCanary(published) {
  const canaries = published.filter(version => /^\d+\.\d+\.\d+-canary\.\d+$/.test(version))
  const newest = canaries.toSorted(compareVersions).at(-1)
  if (!newest) throw new Error('The registry has no canary of next.')
  return newest
}

/**
 * The tag under which a version of `@ferronext/next` is published. `latest` stays with the highest: a patch of an older line may come out
 * later, and npm gives every version `latest` that names no tag.
 *
 * @param {string} version
 * @param {string[]} published versions of `@ferronext/next`
 */
export function distTag(version, published) {
  if (version.includes('-')) return 'canary'
  const isHighest = published.every(other => other.includes('-') || compareVersions(other, version) <= 0)
  // Not `16.2`, which npm takes for a range.
  return isHighest ? 'latest' : `next-${version.split('.', 2).join('.')}`
}
