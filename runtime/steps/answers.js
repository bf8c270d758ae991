// In: numbers of prepared answers, and of calls of entries. Out: the answers and calls. Each thread fetches them from Rust once.

const { checkAnswer } = require('../http/respond')

/** Bytes of bodies that this thread keeps for one server. Rust has them, too; this saves the copy. */
const MAX_BYTES = 32 * 1024 * 1024

/** Calls that this thread keeps for one server: about two kilobytes each. */
const MAX_CALLS = 4096

/** The recent answers and calls of this thread. */
class Answers {
  #answers
  #calls

  /** @param {import('../native').Engine} engine */
  constructor(engine) {
    /** @type {Recent<import('../http/respond').Answer>} */
    this.#answers = new Recent(MAX_BYTES, weight, id => checkAnswer(engine.answer(id)))
    /** @type {Recent<Call>} */
    this.#calls = new Recent(
      MAX_CALLS,
      () => 1,
      id => new Call(engine.call(id)),
    )
  }

  /**
   * The answer of a number.
   * @param {number} id
   */
  get(id) {
    return this.#answers.get(id)
  }

  /**
   * The call of a number, as a copy: entries write to it.
   * @param {number} id
   * @returns {import('../entry/render').RenderStep}
   */
  call(id) {
    return new Call(this.#calls.get(id))
  }
}

/**
 * A cache by number.
 * @template T
 */
class Recent {
  /** @type {Map<number, T>} */
  #recent = new Map()
  /** The previous generation. Values that are still used move to the current one. @type {Map<number, T>} */
  #older = new Map()
  #weight = 0
  #limit
  #weigh
  #fetch

  /**
   * @param {number} limit of the weight of everything
   * @param {(value: T) => number} weigh
   * @param {(id: number) => T} fetch
   */
  constructor(limit, weigh, fetch) {
    this.#limit = limit
    this.#weigh = weigh
    this.#fetch = fetch
  }

  /** @param {number} id */
  get(id) {
    return this.#recent.get(id) ?? this.#recall(id)
  }

  /** @param {number} id */
  #recall(id) {
    const value = this.#older.get(id) ?? this.#fetch(id)
    const weight = this.#weigh(value)
    this.#weight += weight
    if (this.#weight > this.#limit / 2) {
      this.#older = this.#recent
      this.#recent = new Map()
      this.#weight = weight
    }
    this.#recent.set(id, value)
    return value
  }
}

/**
 * The parameters of a call. A class, because objects from Rust have as many shapes as there are kinds of calls, and a copy of them takes ten
 * times as long.
 */
class Call {
  /** @param {import('../entry/render').RenderStep} step */
  constructor(step) {
    this.file = step.file
    this.routeKind = step.routeKind
    this.edge = step.edge
    this.pathname = step.pathname
    this.page = step.page
    this.params = copied(step.params)
    this.query = copied(step.query)
    this.initQuery = copied(step.initQuery)
    this.url = step.url
    this.headers = step.headers
    this.vary = step.vary
    this.dropNextUrl = step.dropNextUrl
    this.status = step.status
    this.isErrorPage = step.isErrorPage
    this.locale = step.locale
    this.defaultLocale = step.defaultLocale
    this.isLocaleDomain = step.isLocaleDomain
    this.isRsc = step.isRsc
    this.isPrefetchRsc = step.isPrefetchRsc
    this.segmentPrefetch = step.segmentPrefetch
    this.isDataRequest = step.isDataRequest
    this.requestHeaders = step.requestHeaders
    this.replacesRequestHeaders = step.replacesRequestHeaders
    this.rewrittenPathname = step.rewrittenPathname
    /** @type {boolean | undefined} */
    this.direct = undefined
  }
}

/**
 * @param {Record<string, string | string[]> | undefined} values
 * @returns {Record<string, string | string[]> | undefined}
 */
function copied(values) {
  if (values === undefined) return undefined
  const copy = { ...values }
  for (const name in copy) if (Array.isArray(copy[name])) copy[name] = [...copy[name]]
  return copy
}

/** @param {import('../http/respond').Answer} answer */
const weight = ({ body, whole }) => (body?.length ?? 0) * (whole ? 2 : 1)

module.exports = { Answers }
