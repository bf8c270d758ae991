// In: the route module of a compiled entry. Out: its `prepare()`, which keeps from the first request what does not change: manifests, the
// matchers of rewrites and of the page's own path, instrumentation. Upstream reads, compiles and clones them for each request (`prepareImpl` of
// next/dist/server/route-modules/route-module.js).
//
// Upstream prepares the first request. Its result, and what it has written into the request meta, is compared with the result of this file. If
// the two differ, or if upstream's has an unknown field, the entry keeps upstream's `prepare()`.

const { isDeepStrictEqual } = require('node:util')
const { REQUEST_META, contextOf } = require('../context')
const { countFastPath } = require('./metrics')
const { isTracing } = require('../../observe/spans')

/**
 * @typedef {import('../render').Request} Request
 * @typedef {import('../render').Response} Response
 * @typedef {import('../../app/state').ServerState} ServerState
 * @typedef {Record<string, any>} Prepared the result of `prepare()`: fields about the build and about the request
 */

/** Fields of `prepare()` about the build, and others that are the same for every request on the fast path. */
const OF_THE_BUILD = new Set([
  'buildId',
  'buildManifest',
  'clientAssetToken',
  'clientReferenceManifest',
  'deploymentId',
  'dynamicCssManifest',
  'fallbackBuildManifest',
  'interceptionRoutePatterns',
  'locales',
  'nextConfig',
  'nextFontManifest',
  'pageIsDynamic',
  'prefetchHintsManifest',
  'prerenderManifest',
  'previewProps',
  'reactLoadableManifest',
  'routesManifest',
  'serverActionsManifest',
  'serverFilesManifest',
  'subresourceIntegrityManifest',
])

/** Fields about the request. */
const OF_THE_REQUEST = new Set([
  'defaultLocale',
  'encodedResolvedPathname',
  'isDraftMode',
  'isNextDataRequest',
  'isOnDemandRevalidate',
  'locale',
  'originalPathname',
  'originalQuery',
  'params',
  'parsedUrl',
  'previewData',
  'query',
  'resolvedPathname',
  'revalidateOnlyGenerated',
  'routerServerContext',
])

/** Rewrites are tried one by one, as in upstream. An app with more of them has no fast path. */
const MAX_REWRITES = 64

/** The cookies of draft and preview mode; a request with one of them has no fast path. */
const PREVIEW_COOKIES = /__prerender_bypass|__next_preview_data/

/**
 * A path and a query that upstream's parser and formatter do not change: no escapes, no dot segments, no value without a key and no key
 * without a value. Names start with a letter, because numbers move to the front of an object.
 */
const PLAIN_PATH = /^(?:\/[\w-]+(?:\.[\w-]+)*)+$|^\/$/
const PLAIN_PAIR = /^[A-Za-z]\w*=[\w.-]*$/

/**
 * Names that upstream reserves (`NEXT_QUERY_PARAM_PREFIX`, `NEXT_INTERCEPTION_MARKER_PREFIX`). Versions handle them in different ways.
 */
const INTERNAL_NAME = /^(?:nxt|nextInternalLocale\b|__proto__)/

/** Marks the request meta of a request that may take fast paths, see paths.js. */
const FAST = Symbol('ferronext.fast')

class FastPreparation {
  /** The fields about the build, from the first request. @type {Prepared | undefined} */
  build
  /** Why upstream prepares every request. @type {import('./metrics').Reason | undefined} */
  off
  #isOff = false
  /** The fields of the request meta that `prepare()` of this version writes. */
  #sets = { initQuery: false, resolvedPathname: false }
  /** @type {Tools | undefined} */
  #tools

  /**
   * @param {ServerState} server
   * @param {any} module the route module
   * @param {object} [counted] its key for metrics
   */
  constructor(server, module, counted = module) {
    this.server = server
    this.module = module
    this.counted = counted
    /** Upstream's own. */
    this.original = module.prepare
  }

  /**
   * `prepare()` of the route module.
   * @param {Request} req
   * @param {Response} res
   * @param {{ srcPage: string, multiZoneDraftMode?: any }} options
   * @returns {Prepared | Promise<Prepared | undefined>}
   */
  prepare(req, res, options) {
    const described = this.describe(req)
    return described === undefined ? this.#upstreams(req, res, options) : { ...this.build, ...described }
  }

  /**
   * The fields about the request, or `undefined` if upstream has to prepare it. The rest is in `build`.
   * @param {Request} req
   * @returns {Prepared | undefined}
   */
  describe(req) {
    if (this.build === undefined || !covers(req)) return undefined
    if (contextOf(req[REQUEST_META].relativeProjectDir)?.nextConfig !== this.build.nextConfig) return undefined
    return this.#describe(req)
  }

  /**
   * Whether upstream has to prepare the request because nothing is known yet.
   * @param {Request} req
   */
  isLearning(req) {
    return this.build === undefined && !this.#isOff && covers(req)
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {{ srcPage: string }} options
   */
  async #upstreams(req, res, options) {
    if (!this.isLearning(req)) return this.original.call(this.module, req, res, options)
    // Both write to the request; ours gets a copy.
    /** @type {any} */
    const before = { ...req, url: req.url, headers: { ...req.headers }, method: req.method }
    before[REQUEST_META] = { ...req[REQUEST_META] }
    /** @type {Prepared | undefined} */
    const found = await this.original.call(this.module, req, res, options)
    if (found) this.#learn(before, req, options.srcPage, found)
    return found
  }

  /**
   * @param {Request} before
   * @param {Request} after
   * @param {string} srcPage
   * @param {Prepared} found
   */
  #learn(before, after, srcPage, found) {
    this.#isOff = true
    const unknown = Object.keys(found).find(name => !OF_THE_BUILD.has(name) && !OF_THE_REQUEST.has(name))
    if (unknown !== undefined) return this.#stay(`prepare() has a field "${unknown}"`)
    const { basePath, i18n, rewrites, caseSensitive } = found.routesManifest ?? {}
    if (!rewrites || i18n || srcPage.includes('[[...'))
      return this.#stay('it has locales or an optional catch-all', 'app')
    try {
      this.#tools = toolsFor(this.server, srcPage, this.module.definition.kind, {
        basePath,
        rewrites,
        caseSensitive: Boolean(caseSensitive),
      })
    } catch (error) {
      return this.#stay(String(error))
    }
    if (!this.#tools) return this.#stay('it has many rewrites', 'app')
    const build = Object.fromEntries(Object.entries(found).filter(([name]) => OF_THE_BUILD.has(name)))
    const written = changedKeys(before[REQUEST_META], after[REQUEST_META])
    this.#sets = { initQuery: written.has('initQuery'), resolvedPathname: written.has('resolvedPathname') }
    const described = this.#describe(before)
    // A rewrite leads here: there is nothing to compare. The next request may be different.
    if (described === undefined) {
      this.#isOff = false
      return
    }
    const different = Object.keys(found).find(
      name =>
        OF_THE_REQUEST.has(name) &&
        name !== 'routerServerContext' &&
        !isDeepStrictEqual(plain(described[name]), plain(found[name])),
    )
    if (different !== undefined) return this.#stay(`it says something else of "${different}"`)
    if (before.url !== after.url) return this.#stay('it leaves another URL')
    const [leaves] = changedKeys(before[REQUEST_META], after[REQUEST_META])
    if (leaves !== undefined) return this.#stay(`it leaves another "${leaves}" in the request meta`)
    this.build = build
    countFastPath(this.server.native, this.counted, 'prepare')
    this.server.native.trace('render', `${this.module.definition?.page}: prepared once`)
  }

  /** @param {string} why @param {import('./metrics').Reason} [reason] */
  #stay(why, reason = 'version') {
    this.off = reason
    countFastPath(this.server.native, this.counted, 'prepare', reason)
    this.server.native.trace('render', `${this.module.definition?.page}: prepare() is upstream's, because ${why}`)
  }

  /**
   * @param {Request} req
   * @returns {Prepared | undefined}
   */
  #describe(req) {
    const tools = /** @type {Tools} */ (this.#tools)
    const { utils } = tools
    const meta = req[REQUEST_META]
    const url = tools.withoutBasePath(req.url || '/')
    if (tools.isDynamic && (!meta.params || url.includes('['))) return undefined
    const plain = parsePlain(url)
    const parsedUrl = plain ?? tools.parseReqUrl(url)
    if (!parsedUrl || !tools.leadsHere(parsedUrl)) return undefined
    if (hasInternalName(meta.query) || (!plain && hasInternalName(parsedUrl.query))) return undefined
    req.url = url
    if (this.#sets.initQuery) meta.initQuery = { ...parsedUrl.query }
    this.module.normalizeUrl?.(req, parsedUrl)
    const query = meta.query || { ...parsedUrl.query }
    const originalQuery = { ...parsedUrl.query }
    const originalPathname = parsedUrl.pathname || '/'
    // A plain URL is written as it was read.
    if (!plain) utils.normalizeCdnUrl(req, [])
    const encoded = tools.isDynamic ? utils.interpolateDynamicPath(tools.page, meta.params) : tools.page
    const resolvedPathname = tools.isDynamic ? tools.resolve(encoded) : tools.resolvedPage
    if (this.#sets.resolvedPathname) meta.resolvedPathname = resolvedPathname
    return {
      query,
      originalQuery,
      originalPathname,
      params: meta.params,
      parsedUrl,
      locale: undefined,
      isNextDataRequest: false,
      defaultLocale: undefined,
      isDraftMode: false,
      previewData: false,
      resolvedPathname,
      encodedResolvedPathname: encoded,
      isOnDemandRevalidate: false,
      revalidateOnlyGenerated: false,
      routerServerContext: contextOf(meta.relativeProjectDir),
    }
  }
}

/**
 * Whether the fast path covers a request: not for data, no revalidation, not in draft mode, without a locale, and not rewritten.
 * @param {Request} req
 */
function covers(req) {
  const { headers } = req
  const meta = req[REQUEST_META]
  return (
    meta?.[FAST] === true &&
    meta.locale === undefined &&
    !meta.isNextDataReq &&
    meta.rewrittenPathname === undefined &&
    !('x-nextjs-data' in headers) &&
    !('x-prerender-revalidate' in headers) &&
    !('x-prerender-revalidate-if-generated' in headers) &&
    !(headers.cookie !== undefined && PREVIEW_COOKIES.test(headers.cookie)) &&
    !isTracing()
  )
}

/**
 * The result of upstream's `parseReqUrl` for a plain URL, `undefined` for any other.
 * @param {string} url
 */
function parsePlain(url) {
  const mark = url.indexOf('?')
  const pathname = mark === -1 ? url : url.slice(0, mark)
  const search = mark === -1 ? '' : url.slice(mark)
  if (!PLAIN_PATH.test(pathname) || search === '?') return undefined
  /** @type {Record<string, any>} */
  const query = {}
  if (search !== '') {
    for (const pair of search.slice(1).split('&')) {
      if (!PLAIN_PAIR.test(pair) || INTERNAL_NAME.test(pair)) return undefined
      const equals = pair.indexOf('=')
      const name = pair.slice(0, equals)
      if (name in query) return undefined
      query[name] = pair.slice(equals + 1)
    }
  }
  const path = pathname
  const nothing = { host: '', hostname: '', auth: '', protocol: '', slashes: null, port: '' }
  return { query, hash: '', search, path, pathname, href: url, ...nothing }
}

/** @param {Record<string, any> | undefined} query */
function hasInternalName(query) {
  for (const name in query) if (INTERNAL_NAME.test(name)) return true
  return false
}

/**
 * Upstream's own functions for one page, created once.
 * @param {ServerState} server
 * @param {string} srcPage
 * @param {string} kind
 * @param {{ basePath: string, rewrites: Record<string, any[]>, caseSensitive: boolean }} routes
 */
function toolsFor({ next, config }, srcPage, kind, { basePath, rewrites, caseSensitive }) {
  const { parseReqUrl } = next.load('parseUrl')
  const { getServerUtils } = next.load('serverUtils')
  const { getPathMatch } = next.load('pathMatch')
  const { isDynamicRoute } = next.load('routerUtils')
  const { normalizeAppPath } = next.load('appPaths')
  const { removePathPrefix } = next.load('removePathPrefix')
  const { removeTrailingSlash } = next.load('removeTrailingSlash')
  const { decodePathParams } = next.load('decodePathParams')
  const normalized = normalizeAppPath(srcPage)
  const page = normalized === '/index' ? '/' : normalized
  const isDynamic = isDynamicRoute(page)
  const trailingSlash = config.trailingSlash
  const utils = getServerUtils({ page, basePath, rewrites, pageIsDynamic: isDynamic, trailingSlash, caseSensitive })
  const sources = [rewrites.beforeFiles, rewrites.afterFiles, rewrites.fallback].flat().filter(Boolean)
  if (sources.length > MAX_REWRITES) return undefined
  const matchers = sources.map(({ source }) =>
    getPathMatch(source + (trailingSlash ? '(/)?' : ''), {
      removeUnnamedParams: true,
      strict: true,
      sensitive: caseSensitive,
    }),
  )
  // Upstream removes query params with the name of a route param from the URL of some pages (`combinedParamKeys`).
  const isOfPages = kind === 'PAGES' || kind === 'PAGES_API'
  const keys = isOfPages ? Object.keys(utils.defaultRouteMatches ?? {}) : []
  /** @param {string} encoded */
  const resolve = encoded => {
    try {
      return removeTrailingSlash(decodePathParams(encoded))
    } catch {
      return removeTrailingSlash(encoded)
    }
  }
  return {
    page,
    isDynamic,
    utils,
    parseReqUrl,
    resolve,
    resolvedPage: resolve(page),
    /** @param {string} url */
    withoutBasePath: url => (basePath ? removePathPrefix(url, basePath) : url),
    /** @param {{ pathname: string, query: object }} url */
    leadsHere: ({ pathname, query }) =>
      !pathname.startsWith('/_next/data') &&
      !matchers.some(match => match(pathname)) &&
      !keys.some(key => key in query),
  }
}

/** @typedef {NonNullable<ReturnType<typeof toolsFor>>} Tools */

/**
 * The keys of request meta that differ.
 * @param {Record<string, any>} before
 * @param {Record<string, any>} after
 */
function changedKeys(before, after) {
  const keys = Object.keys({ ...before, ...after })
  return new Set(keys.filter(key => !isDeepStrictEqual(plain(before[key]), plain(after[key]))))
}

/** @param {any} value an object of upstream's may have another prototype */
const plain = value => (value && typeof value === 'object' ? { ...value } : value)

module.exports = { FastPreparation, FAST }
