// In: numbers of prepared answers, and of calls of entries. Out: the answers and calls, fetched from Rust once for each thread, so
// that what is sent or called often crosses once.

const { checkAnswer } = require('../http/respond')

/** Bytes of bodies kept on this thread for one server. Rust has them too; here they are what nobody copies. */
const MAX_BYTES = 32 * 1024 * 1024

/** Calls kept on this thread for one server: some two kilobytes each. */
const MAX_CALLS = 4096

/** The answers and calls that this thread has seen lately. */
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
   * The answer of a number that Rust has just named.
   * @param {number} id
   */
  get(id) {
    return this.#answers.get(id)
  }

  /**
   * How an entry is called, in a copy: entries write into what they are told.
   * @param {number} id
   * @returns {import('../entry/render').RenderStep}
   */
  call(id) {
    return new Call(this.#calls.get(id))
  }
}

/**
 * What was asked for lately, by number.
 * @template T
 */
class Recent {
  /** @type {Map<number, T>} */
  #recent = new Map()
  /** Those of the time before: what is still asked for comes back from here. @type {Map<number, T>} */
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
 * What an entry is told. A class, because the object that Rust makes has as many shapes as there are kinds of calls, and to copy it
 * takes ten times as long.
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
