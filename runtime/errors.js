// In: a stable code and a sentence for the user. Out: an Error that carries both.

/**
 * An error that a user can cause: `code` is stable and can be searched for.
 * @param {string} code for instance `FERRONEXT_NEXT_NOT_FOUND`
 * @param {string} message what is wrong, where, and what to do
 * @param {unknown} [cause] the error underneath
 * @returns {Error & { code: string }}
 */
function codedError(code, message, cause) {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause })
  return Object.assign(error, { code })
}

/**
 * The error of a promise of the addon. Its message starts with the code, because only synchronous errors carry one.
 * @param {any} error
 */
function fromNative(error) {
  const [, code, message] = /^(FERRONEXT_\w+): (.*)$/s.exec(error?.message ?? '') ?? []
  return code ? codedError(code, message) : error
}

/** Whether an error means that the client has disconnected. @param {any} error */
const isAbort = error => error?.name === 'AbortError' || error?.name === 'ResponseAborted'

module.exports = { isAbort, codedError, fromNative }
