// In: numbers of prepared answers, and of calls of entries. Out: the answers and calls, fetched from Rust once for each thread, so
// that what is sent or called often crosses once.

const { checkAnswer } = require('./respond')

/** Bytes of bodies kept on this thread for one server. Rust has them too; here they are what nobody copies. */
const MAX_BYTES = 32 * 1024 * 1024

/** Calls kept on this thread for one server, twice: some two kilobytes each. */
const MAX_CALLS = 2048

/** The answers and calls that this thread has seen lately. */
class Answers {
  #engine
  /** @type {Map<number, import('./respond').Answer>} */
  #recent = new Map()
  /** Those of the time before: an answer that is still asked for comes back from here. @type {Map<number, import('./respond').Answer>} */
  #older = new Map()
  #bytes = 0
  /** @type {Map<number, import('./render').RenderStep>} */
  #calls = new Map()
  /** @type {Map<number, import('./render').RenderStep>} */
  #olderCalls = new Map()

  /** @param {any} engine */
  constructor(engine) {
    this.#engine = engine
  }

  /**
   * The answer of a number that Rust has just named.
   * @param {number} id
   */
  get(id) {
    return this.#recent.get(id) ?? this.#fetch(id)
  }

  /**
   * How an entry is called, in a copy: entries write into what they are told.
   * @param {number} id
   * @returns {import('./render').RenderStep}
   */
  call(id) {
    const call = this.#calls.get(id) ?? this.#fetchCall(id)
    return new Call(call)
  }

  /** @param {number} id */
  #fetchCall(id) {
    const call = this.#olderCalls.get(id) ?? new Call(this.#engine.call(id))
    if (this.#calls.size >= MAX_CALLS) {
      this.#olderCalls = this.#calls
      this.#calls = new Map()
    }
    this.#calls.set(id, call)
    return call
  }

  /** @param {number} id */
  #fetch(id) {
    const answer = this.#older.get(id) ?? checkAnswer(this.#engine.answer(id))
    const bytes = weight(answer)
    this.#bytes += bytes
    if (this.#bytes > MAX_BYTES / 2) {
      this.#older = this.#recent
      this.#recent = new Map()
      this.#bytes = bytes
    }
    this.#recent.set(id, answer)
    return answer
  }
}

/**
 * What an entry is told. A class, because the object that Rust makes has as many shapes as there are kinds of calls, and to copy it
 * takes ten times as long.
 */
class Call {
  /** @param {import('./render').RenderStep} step */
  constructor(step) {
    this.kind = step.kind
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

/** @param {import('./respond').Answer} answer */
const weight = ({ body, whole }) => (body?.length ?? 0) * (whole ? 2 : 1)

module.exports = { Answers }
