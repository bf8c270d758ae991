// In: numbers of prepared answers. Out: the answers, fetched from Rust once for each thread, so that a body that is sent often
// crosses once.

const { checkAnswer } = require('./respond')

/** Bytes of bodies kept on this thread for one server. Rust has them too; here they are what nobody copies. */
const MAX_BYTES = 32 * 1024 * 1024

/** The answers that this thread has seen lately. */
class Answers {
  #engine
  /** @type {Map<number, import('./respond').Answer>} */
  #recent = new Map()
  /** Those of the time before: an answer that is still asked for comes back from here. @type {Map<number, import('./respond').Answer>} */
  #older = new Map()
  #bytes = 0

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

/** @param {import('./respond').Answer} answer */
const weight = ({ body, whole }) => (body?.length ?? 0) * (whole ? 2 : 1)

module.exports = { Answers }
