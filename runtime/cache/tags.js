// In: tags that this thread or another one revalidates. Out: one state in Rust, and upstream's own list of this thread, which follows it, so
// that upstream's code finds what it expects.
// Upstream: next/dist/server/lib/incremental-cache/tags-manifest.external.js.

/** The tags of this thread's `next`. */
class Tags {
  #native
  #upstream
  #manifest
  #hasStaleTags
  /** The version of Rust's state that this thread's list has. */
  #version = 0

  /**
   * @param {typeof import('../native')} native the addon
   * @param {import('../next/package').NextPackage} next
   * @param {boolean} hasStaleTags whether a tag has two moments; before 16 it is a number
   */
  constructor(native, next, hasStaleTags) {
    this.#native = native
    this.#upstream = next.load('tagsManifest')
    this.#manifest = this.#upstream.tagsManifest
    this.#hasStaleTags = hasStaleTags
  }

  /** Applies what any thread has revalidated since the last call. */
  sync() {
    if (this.#native.tagsVersion() === this.#version) return
    const { tags, version } = this.#native.tagsSince(this.#version)
    for (const { tag, stale, expired } of tags) {
      if (this.#hasStaleTags) this.#manifest.set(tag, { ...this.#manifest.get(tag), ...defined({ stale, expired }) })
      else this.#manifest.set(tag, expired ?? stale)
    }
    this.#version = version
  }

  /**
   * @param {string[]} tags
   * @param {{ expire?: number }} [durations] with these they are stale now and expire later
   */
  revalidate(tags, durations) {
    if (tags.length === 0) return
    this.#native.revalidateTags(tags, durations !== undefined, durations?.expire)
    this.sync()
  }

  /**
   * The freshness, by its tags, of something that was created at `timestamp`.
   * @param {string[]} tags
   * @param {number} timestamp in milliseconds since 1970
   * @returns {'fresh' | 'stale' | 'expired'}
   */
  freshness(tags, timestamp) {
    this.sync()
    const { areTagsExpired, areTagsStale, isStale } = this.#upstream
    if (!this.#hasStaleTags) return isStale(tags, timestamp) ? 'expired' : 'fresh'
    if (areTagsExpired(tags, timestamp)) return 'expired'
    return areTagsStale(tags, timestamp) ? 'stale' : 'fresh'
  }

  /**
   * When one of them expired last, in milliseconds since 1970; 0 for never. Stale tags do not count.
   * @param {string[]} tags
   */
  lastExpiration(tags) {
    this.sync()
    let last = 0
    for (const tag of tags) {
      const state = this.#manifest.get(tag)
      last = Math.max(last, (this.#hasStaleTags ? state?.expired : state) ?? 0)
    }
    return last
  }
}

/** @param {Record<string, number | undefined>} fields */
const defined = fields => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

module.exports = { Tags }
