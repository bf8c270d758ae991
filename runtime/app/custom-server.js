// In: options of next(). Out: the app object with all of upstream's methods (NextCustomServer in next/dist/server/next.js).

const { createHandler } = require('../steps/handler')
const { InnerServer } = require('./inner-server')
const { closePrinter } = require('../observe/native-log')
const { openLog, report } = require('../observe/report')
const { within } = require('../process/in-flight')
const { observedBy, operatorPaths, recorded } = require('../observe/requests')
const { attachUpgrade, endUpgraded, handleUpgrade } = require('../steps/upgrade')

/** What to use instead of a method that upstream has deprecated. */
const INSTEAD = {
  logError: 'Log with the means of your app.',
  logErrorWithOriginalStack: 'Log with the means of your app.',
  revalidate: 'Revalidate with `revalidatePath`, `revalidateTag` or `res.revalidate` inside the app.',
  setAssetPrefix: 'Set `assetPrefix` in next.config.',
}

/** How long `close()` waits for requests, in milliseconds. A stream to a browser may never end. */
const CLOSE_TIMEOUT = 10_000

/** The app of a custom server in production. */
class NextCustomServer {
  /** @type {Promise<import('./state').ServerState> | undefined} */
  #preparing
  /** @type {import('./state').ServerState | undefined} */
  #state
  /** @type {ReturnType<typeof createHandler> | undefined} */
  #handler
  #native
  #prepare
  #printerClosed = false
  #observed
  /** @type {((req: any, res: any) => boolean) | undefined} */
  #answersOperator
  #isClosing = false
  /** @type {InnerServer | undefined} */
  #inner

  /**
   * @param {typeof import('../native')} native
   * @param {import('./options').ResolvedOptions} options
   * @param {() => Promise<import('./state').ServerState>} prepare reads the build
   */
  constructor(native, options, prepare) {
    this.options = options
    this.#native = native
    this.#prepare = prepare
    this.#observed = observedBy(options)
    if (this.#observed?.live || this.#observed?.ready || this.#observed?.metrics) {
      this.#answersOperator = operatorPaths(this.#observed, {
        isReady: () => this.isReady,
        isServing: () => this.#isServing,
        metrics: () => this.metrics(),
      })
    }
  }

  /** Whether requests are answered: from the end of `prepare()` to the call of `close()`, once the app's instrumentation has started. */
  get isReady() {
    return this.#isServing && this.#state?.starting === undefined
  }

  get #isServing() {
    return this.#state !== undefined && !this.#isClosing
  }

  /** What the option `metrics` has counted, in the OpenMetrics text format. */
  metrics() {
    const { native, engine } = this.#prepared()
    return native.metricsText(engine)
  }

  get hostname() {
    return this.options.hostname
  }

  get port() {
    return this.options.port
  }

  /** Reads the build and compiles its routes. Calling it again returns the same work. */
  async prepare() {
    this.#preparing ??= this.#prepare().catch(error => {
      this.#preparing = undefined // so that a server can try again once a build is there
      throw error
    })
    this.#state = await this.#preparing
    // A server that is known now need not wait for its first request.
    attachUpgrade(this.#state, this.options.httpServer)
  }

  getRequestHandler() {
    // Not an async function: most requests are answered before it would return its promise.
    return (/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ parsedUrl) => {
      try {
        return this.#handle(req, res, parsedUrl)
      } catch (error) {
        return Promise.reject(error)
      }
    }
  }

  /** The handler itself, as upstream's app has it beside the documented getter. */
  get requestHandler() {
    this.#prepared()
    return (/** @type {any} */ req, /** @type {any} */ res) => this.#handle(req, res, undefined)
  }

  /**
   * Takes an upgrade from a server that calls it, as in upstream's app beside `getUpgradeHandler()`. The server's own event comes here, too;
   * the first of the two decides.
   */
  get upgradeHandler() {
    const state = this.#prepared()
    return (/** @type {any} */ req, /** @type {any} */ socket, /** @type {Buffer} */ head) =>
      handleUpgrade(state, req, socket, head)
  }

  /** The object that upstream has below its app. It has the same methods, without deprecation warnings. */
  get server() {
    const state = this.#prepared()
    this.#inner ??= new InnerServer(this, state)
    return this.#inner
  }

  /** Does nothing in production, as upstream's: upgrades are taken from the server's own event. */
  getUpgradeHandler() {
    this.#prepared()
    return async () => {}
  }

  /**
   * Routes the request with another URL: `pathname` and `query`.
   * @param {any} req @param {any} res @param {string} pathname @param {any} [query] @param {any} [parsedUrl]
   */
  async render(req, res, pathname, query, parsedUrl) {
    this.#deprecated('render')
    let path = pathname === '/index' ? '/' : pathname
    if (!pathname.startsWith('/')) {
      report('error', `Cannot render page with path "${pathname}"`)
      path = `/${pathname}`
    }
    req.url = this.#prepared().formatUrl({ ...parsedUrl, pathname: path, query })
    await this.#handle(req, res, undefined)
  }

  /** @param {any} req @param {any} res @param {string} pathname @param {any} [query] */
  async renderToHTML(req, res, pathname, query) {
    this.#deprecated('renderToHTML')
    return this.server.renderToHTML(req, res, pathname, query)
  }

  /** @param {unknown} error @param {any} req @param {any} res @param {string} pathname @param {any} [query] @param {boolean} [setHeaders] */
  async renderError(error, req, res, pathname, query, setHeaders) {
    this.#deprecated('renderError')
    return this.server.renderError(error, req, res, pathname, query, setHeaders)
  }

  /** @param {unknown} error @param {any} req @param {any} res @param {string} pathname @param {any} [query] */
  async renderErrorToHTML(error, req, res, pathname, query) {
    this.#deprecated('renderErrorToHTML')
    return this.server.renderErrorToHTML(error, req, res, pathname, query)
  }

  /** @param {any} req @param {any} res @param {any} [parsedUrl] @param {boolean} [setHeaders] */
  async render404(req, res, parsedUrl, setHeaders) {
    this.#deprecated('render404')
    return this.server.render404(req, res, parsedUrl, setHeaders)
  }

  /** @param {import('../steps/revalidate').RevalidateRequest} request */
  async revalidate(request) {
    this.#deprecated('revalidate')
    return this.server.revalidate(request)
  }

  /** @param {string} assetPrefix */
  setAssetPrefix(assetPrefix) {
    this.#deprecated('setAssetPrefix')
    this.server.setAssetPrefix(assetPrefix)
  }

  /** @param {unknown} error */
  logError(error) {
    this.#deprecated('logError')
    this.server.logError(error)
  }

  async logErrorWithOriginalStack() {
    this.#deprecated('logErrorWithOriginalStack')
    return this.server.logErrorWithOriginalStack()
  }

  /**
   * Drains: waits for requests in flight, up to `timeout`, and for work that outlives its response. The HTTP server belongs to the user and
   * stays open.
   * @param {{ timeout?: number }} [options]
   */
  async close({ timeout = CLOSE_TIMEOUT } = {}) {
    this.#isClosing = true
    const state = this.#state
    if (!state) return
    endUpgraded(state)
    clearInterval(state.publicWatch)
    state.preload.stop()
    const isDone = await within(timeout, state.inFlight.settle())
    // Work of a request that does not end does not end either.
    if (isDone) await state.waitUntil.settle()
    else await within(timeout, state.waitUntil.settle())
    if (this.#printerClosed) return
    this.#printerClosed = true
    closePrinter(state.native)
  }

  /** @param {any} req @param {any} res @param {any} parsedUrl */
  #handle(req, res, parsedUrl) {
    if (this.#answersOperator?.(req, res)) return Promise.resolve()
    if (this.#handler === undefined) {
      const state = this.#prepared()
      const handler = state.inTestMode(createHandler(state))
      const { log, counts } = this.#observed ?? {}
      this.#handler = this.#observed && (log || counts) ? recorded(this.#observed, this.#native, handler) : handler
      attachUpgrade(state, this.options.httpServer ?? req.socket?.server)
    }
    return this.#handler(req, res, parsedUrl)
  }

  /**
   * Warns once of a method that newer versions have deprecated. Before prepare() the version is unknown, and the call fails anyway.
   * @param {string} method
   */
  #deprecated(method) {
    if (!this.#state?.traits.deprecatedMethods) return
    const instead =
      /** @type {Record<string, string>} */ (INSTEAD)[method] ??
      'Call the handler of `app.getRequestHandler()` with an edited URL.'
    openLog(this.#state.next).warnOnce(`The \`app.${method}()\` method is deprecated in custom servers. ${instead}`)
  }

  #prepared() {
    if (!this.#state) throw new Error('prepare() must be called before performing this operation')
    return this.#state
  }
}

module.exports = { NextCustomServer }
