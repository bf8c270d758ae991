// In: the two stores that upstream's adapter has made for a request of the middleware. Out: such stores for other requests. Parts that are
// the same for all requests are inherited, and parts that few handlers read are made when they are read.
// Upstream: next/dist/server/async-storage/request-store.js and work-store.js, `CloseController` of server/web/web-on-close.js.

const { AsyncResource } = require('node:async_hooks')

/** The parts of the work store that are the same for all requests, in all lines. */
const SHARED_WORK = new Set([
  'assetPrefix',
  'buildId',
  'cacheComponentsEnabled',
  'cacheLifeProfiles',
  'clientComponentLoadTracker',
  'deploymentId',
  'dev',
  'durableUseCacheEntries',
  'fetchCache',
  'hasReadableErrorStacks',
  'htmlRequestId',
  'incrementalCache',
  'isBuildTimePrerendering',
  'isDraftMode',
  'isOnDemandRevalidate',
  'isPrefetchRequest',
  'isRevalidate',
  'isStaticGeneration',
  'nonce',
  'page',
  'previouslyRevalidatedTags',
  'reactLoadableManifest',
  'requestId',
  'route',
  'shouldTrackFetchMetrics',
  'staticPageGenerationTimeout',
  'useCacheTimeout',
  'validationLevel',
])

/** Those of a request. */
const OWN_WORK = new Set([
  'afterContext',
  'reactServerErrorsByDigest',
  'refreshTagsByCacheKind',
  'requestStartTime',
  'runInCleanSnapshot',
])

/** The same of the request store. */
const SHARED_REQUEST = new Set([
  'devFallbackParams',
  'fallbackParams',
  'hmrRefreshHash',
  'isHmrRefresh',
  'renderResumeDataCache',
  'resumeDataCache',
  'serverComponentsHmrCache',
  'stagedFallbackParams',
  'type',
  'usedDynamic',
])
const OWN_REQUEST = new Set([
  'cookies',
  'draftMode',
  'headers',
  'implicitTags',
  'mutableCookies',
  'phase',
  'rootParams',
  'url',
  'userspaceMutableCookies',
])

/** Requests to revalidate go to the adapter. In older lines draft mode reads the headers of this, in newer lines this is the headers. */
const NO_REVALIDATION = { headers: {} }

/** Makes the stores of requests. */
class Stores {
  #seen
  #WorkStore
  #RequestStore

  /**
   * @param {import('./recorder').Seen} seen
   * @param {{ work: object, request: object }} shared
   * @param {import('../../../app/state').ServerState} server
   */
  constructor(seen, shared, server) {
    this.#seen = seen
    this.#WorkStore = workStoreClass(seen, shared.work)
    this.#RequestStore = requestStoreClass(seen, shared.request, server)
  }

  /**
   * @param {import('./recorder').Seen} seen
   * @param {import('../../../app/state').ServerState} server
   * @returns {Stores | undefined} `undefined` if a store has a part that is not known
   */
  static of(seen, server) {
    const { workStore, requestStore } = seen
    const work = sharedPart(workStore, SHARED_WORK, OWN_WORK)
    const request = sharedPart(requestStore, SHARED_REQUEST, OWN_REQUEST)
    if (work === undefined || request === undefined) return undefined
    const isKnown =
      Array.isArray(requestStore.implicitTags?.tags) &&
      typeof requestStore.draftMode?._previewModeId === 'string' &&
      !workStore.isPrefetchRequest
    return isKnown ? new Stores(seen, { work, request }, server) : undefined
  }

  /**
   * @param {any} request that the middleware gets
   * @param {(work: Promise<unknown>) => void} waitUntil
   * @param {string} url of the request
   */
  contextOf(request, waitUntil, url) {
    return new Context(
      this.#seen,
      new this.#WorkStore(waitUntil, new Closing()),
      new this.#RequestStore(request.headers, url),
      request,
    )
  }
}

/** The stores of one request. */
class Context {
  #seen
  #workStore
  #requestStore
  #request

  /**
   * @param {import('./recorder').Seen} seen
   * @param {{ closing: Closing }} workStore
   * @param {{ changedCookies: string[] | undefined }} requestStore
   * @param {any} request
   */
  constructor(seen, workStore, requestStore, request) {
    this.#seen = seen
    this.#workStore = workStore
    this.#requestStore = requestStore
    this.#request = request
  }

  /** The cookies that the handler has set by `cookies()`. */
  get cookies() {
    return this.#requestStore.changedCookies
  }

  /** @param {(request: any, event: any) => any} handler @param {any} event */
  run(handler, event) {
    const { workStorage, unitStorage } = this.#seen
    return workStorage.run(this.#workStore, () => unitStorage.run(this.#requestStore, handler, this.#request, event))
  }

  /** The handler has returned. */
  close() {
    this.#workStore.closing.end()
  }
}

/**
 * @param {import('./recorder').Seen} seen
 * @param {object} shared
 */
function workStoreClass({ workStore }, shared) {
  const AfterContext = workStore.afterContext.constructor
  class WorkStore {
    #waitUntil
    /** @type {any} */
    #afterContext
    #outside = new AsyncResource('ferronext.middleware')
    closing

    /** @param {(work: Promise<unknown>) => void} waitUntil @param {Closing} closing */
    constructor(waitUntil, closing) {
      this.#waitUntil = waitUntil
      this.closing = closing
      this.requestStartTime = performance.timeOrigin + performance.now()
      // Only `'use cache'` reads it, which middleware may not have.
      this.refreshTagsByCacheKind = new Map()
      this.reactServerErrorsByDigest = new Map()
    }

    get afterContext() {
      this.#afterContext ??= new AfterContext({
        waitUntil: this.#waitUntil,
        onClose: this.closing.onClose,
        onTaskError: undefined,
      })
      return this.#afterContext
    }

    /** What `AsyncLocalStorage.snapshot()` gives, which in Node 20 costs as much as a request. */
    get runInCleanSnapshot() {
      const outside = this.#outside
      return (/** @type {(...args: any[]) => any} */ work, /** @type {any[]} */ ...args) =>
        outside.runInAsyncScope(work, undefined, ...args)
    }
  }
  Object.assign(WorkStore.prototype, shared)
  return WorkStore
}

/**
 * @param {import('./recorder').Seen} seen
 * @param {object} shared
 * @param {import('../../../app/state').ServerState} server
 */
function requestStoreClass({ request, requestStore }, shared, { next }) {
  const { HeadersAdapter } = next.load('headersAdapter')
  const { RequestCookiesAdapter, MutableRequestCookiesAdapter, createCookiesWithMutableAccessCheck } =
    next.load('requestCookies')
  const { draftMode, implicitTags, url } = requestStore
  const RequestCookies = request.cookies.constructor
  const DraftMode = draftMode.constructor
  const previewProps = { previewModeId: draftMode._previewModeId }
  const ofPath = tagsOf(url.pathname)
  /** Of the page `/`, which upstream gives to all middleware. */
  const pageTags = implicitTags.tags.filter((/** @type {string} */ tag) => !ofPath.includes(tag))

  class RequestStore {
    phase = 'action'
    /** As `Set-Cookie` values. @type {string[] | undefined} */
    changedCookies
    #headers
    #target
    /** What has been read. @type {Record<string, any>} */
    #made = {}

    /** @param {Headers} headers @param {string} target */
    constructor(headers, target) {
      this.#headers = headers
      this.#target = target
    }

    get rootParams() {
      this.#made.rootParams ??= {}
      return this.#made.rootParams
    }

    get implicitTags() {
      this.#made.implicitTags ??= {
        tags: [...pageTags, ...tagsOf(this.url.pathname)],
        // Only `'use cache'` reads it.
        expirationsByCacheKind: new Map(),
      }
      return this.#made.implicitTags
    }

    get url() {
      if (this.#made.url === undefined) {
        const { pathname, search } = new URL(this.#target)
        this.#made.url = { pathname, search }
      }
      return this.#made.url
    }

    get headers() {
      this.#made.headers ??= HeadersAdapter.seal(this.#headers)
      return this.#made.headers
    }

    get cookies() {
      this.#made.cookies ??= RequestCookiesAdapter.seal(new RequestCookies(this.#headers))
      return this.#made.cookies
    }

    set cookies(value) {
      this.#made.cookies = value
    }

    get mutableCookies() {
      this.#made.mutableCookies ??= MutableRequestCookiesAdapter.wrap(
        new RequestCookies(this.#headers),
        (/** @type {string[]} */ cookies) => {
          this.changedCookies = cookies
        },
      )
      return this.#made.mutableCookies
    }

    get userspaceMutableCookies() {
      this.#made.userspaceMutableCookies ??= createCookiesWithMutableAccessCheck(this)
      return this.#made.userspaceMutableCookies
    }

    get draftMode() {
      this.#made.draftMode ??= new DraftMode(previewProps, NO_REVALIDATION, this.cookies, this.mutableCookies)
      return this.#made.draftMode
    }
  }
  Object.assign(RequestStore.prototype, shared)
  return RequestStore
}

/**
 * @param {Record<string, any>} store
 * @param {Set<string>} shared
 * @param {Set<string>} own
 */
function sharedPart(store, shared, own) {
  /** @type {Record<string, any>} */
  const part = {}
  for (const name of Object.keys(store)) {
    if (shared.has(name)) part[name] = store[name]
    else if (!own.has(name)) return undefined
  }
  return part
}

/** What upstream puts before a tag of a path (`NEXT_CACHE_IMPLICIT_TAG_ID`). */
const TAG_PREFIX = '_N_T_'

/**
 * The implicit tags of a pathname, in addition to those of the page (`getImplicitTags` of next/dist/server/lib/implicit-tags.js).
 * @param {string} pathname
 */
function tagsOf(pathname) {
  if (pathname === '/') return ['/', '/index'].map(path => TAG_PREFIX + path)
  if (pathname === '/index') return ['/index', '/'].map(path => TAG_PREFIX + path)
  return [TAG_PREFIX + pathname]
}

/** The end of a request for `after()`: middleware cannot stream, so it is when the handler has returned. */
class Closing {
  #isClosed = false
  /** @type {(() => void)[]} */
  #callbacks = []

  onClose = (/** @type {() => void} */ callback) => {
    if (this.#isClosed) callback()
    else this.#callbacks.push(callback)
  }

  /** As in upstream: not before the handler's own promises have gone on. */
  end() {
    if (this.#callbacks.length === 0) this.#isClosed = true
    else setTimeout(() => this.#close(), 0)
  }

  #close() {
    this.#isClosed = true
    for (const callback of this.#callbacks.splice(0)) callback()
  }
}

module.exports = { Stores }
