// In: an app that is prepared. Out: the object `server` that upstream has below its app: the same methods, which are deprecated on the app
// only. Upstream: `NextServer` of next/dist/server/next.js.

const direct = require('../steps/direct')
const { findNext } = require('../next/package')
const { openLog } = require('../observe/report')
const { revalidate } = require('../steps/revalidate')

/** @typedef {import('./state').ServerState} ServerState */

class InnerServer {
  #app
  #state

  /**
   * @param {import('./custom-server').NextCustomServer} app
   * @param {ServerState} state
   */
  constructor(app, state) {
    this.#app = app
    this.#state = state
  }

  get options() {
    return this.#app.options
  }

  /** The hostname of the options, or upstream's default. */
  get hostname() {
    return this.options.hostname || 'localhost'
  }

  get port() {
    return this.options.port || 3000
  }

  /** There is nothing left to prepare. */
  async prepare() {}

  close() {
    return this.#app.close()
  }

  getRequestHandler() {
    return this.#app.getRequestHandler()
  }

  getUpgradeHandler() {
    return this.#app.getUpgradeHandler()
  }

  /** Answers with a page, past the router. @param {any} req @param {any} res @param {string} pathname @param {any} [query] */
  async render(req, res, pathname, query) {
    return direct.renderPage(this.#state, req, res, pathname, query)
  }

  /** @param {any} req @param {any} res @param {string} pathname @param {any} [query] */
  async renderToHTML(req, res, pathname, query) {
    return direct.renderToHTML(this.#state, req, res, pathname, query)
  }

  /** @param {unknown} error @param {any} req @param {any} res @param {string} _pathname @param {any} [query] @param {boolean} [setHeaders] */
  async renderError(error, req, res, _pathname, query, setHeaders) {
    return direct.renderError(this.#state, error, req, res, query, setHeaders)
  }

  /** @param {unknown} error @param {any} req @param {any} res @param {string} _pathname @param {any} [query] */
  async renderErrorToHTML(error, req, res, _pathname, query) {
    return direct.renderErrorToHTML(this.#state, error, req, res, query)
  }

  /** @param {any} req @param {any} res @param {any} [parsedUrl] @param {boolean} [setHeaders] */
  async render404(req, res, parsedUrl, setHeaders) {
    return direct.render404(this.#state, req, res, parsedUrl, setHeaders)
  }

  /** @param {import('../steps/revalidate').RevalidateRequest} request */
  async revalidate(request) {
    await revalidate(this.#state, findNext(this.options.dir), request)
  }

  /** @param {string} assetPrefix */
  setAssetPrefix(assetPrefix) {
    this.#state.setAssetPrefix(assetPrefix)
  }

  /** @param {unknown} error */
  logError(error) {
    if (!this.options.quiet) openLog(this.#state.next).error(error)
  }

  async logErrorWithOriginalStack() {
    throw new Error('Invariant: logErrorWithOriginalStack can only be called on the development server')
  }
}

module.exports = { InnerServer }
