// In: a request with a form for a page. Out: whether the page failed because the form is malformed, and no log line about it. A page looks
// for a server action in every form, on any path; a malformed form is no error of the app.

const { AsyncLocalStorage } = require('node:async_hooks')

/** Messages of the parsers of Node's lines: undici's own, and busboy's. */
const BROKEN =
  /^(?:Failed to parse body as FormData|Response\.formData: |Unexpected end of form|Malformed part header|Multipart: Boundary not found)/

/** Set while a page handles such a request. @type {AsyncLocalStorage<true>} */
const storage = new AsyncLocalStorage()

/** @param {any} error */
const saysBroken = error => BROKEN.test(error?.message)

/**
 * Whether a page gets a form that it has to read to find a server action.
 * @param {import('./render').Request} req
 * @param {import('./render').RenderStep} step
 */
const readsForm = ({ method, headers }, { routeKind }) =>
  method === 'POST' && routeKind === 'APP_PAGE' && /^multipart\//i.test(headers['content-type'] ?? '')

/**
 * @template T
 * @param {import('./render').Request} req
 * @param {import('./render').RenderStep} step
 * @param {() => T} run
 * @returns {T}
 */
const withForm = (req, step, run) => (readsForm(req, step) ? storage.run(true, run) : run())

/** @param {import('./render').Request} req @param {import('./render').RenderStep} step @param {unknown} error */
const isBrokenForm = (req, step, error) => readsForm(req, step) && saysBroken(error)

/** Whether an entry reports an error that becomes the answer 400. @param {unknown} error */
const isAnswered = error => storage.getStore() === true && saysBroken(error)

module.exports = { withForm, isBrokenForm, isAnswered }
