// Upstream's own router in this process, on a build folder that holds nothing but manifests: the oracle of the property
// tests and the other side of `bench/decisions.mjs`. Its answers are put into the form that `decide.rs` prints.

import { mkdirSync, writeFileSync } from 'node:fs'
import { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import path from 'node:path'
import { fileURLToPath, format as formatUrl } from 'node:url'

const require = createRequire(import.meta.url)
// Reading it outside of a server ends in an invariant error unless this is set.
process.env.NEXT_RUNTIME ??= 'nodejs'

const { setupFsCheck } = require('next/dist/server/lib/router-utils/filesystem')
const { getResolveRoutes } = require('next/dist/server/lib/router-utils/resolve-routes')
const { buildDataRoute } = require('next/dist/server/lib/router-utils/build-data-route')
const { stringifyQuery } = require('next/dist/server/server-route-utils')
const { getRequestMeta } = require('next/dist/server/request-meta')
const { default: loadCustomRoutes, checkCustomRoutes } = require('next/dist/lib/load-custom-routes')
const { getMiddlewareMatchers } = require('next/dist/build/analysis/get-page-static-info')
const { getSortedRoutes, isDynamicRoute } = require('next/dist/shared/lib/router/utils')
const { getRouteRegex } = require('next/dist/shared/lib/router/utils/route-regex')
const { DecodeError } = require('next/dist/shared/lib/utils')
const { normalizeAppPath } = require('next/dist/shared/lib/router/utils/app-paths')

export const nextVersion = require('next/package.json').version
export const BUILD_ID = 'build.1'

/** @typedef {{ redirects?: any[], headers?: any[], rewrites?: { beforeFiles?: any[], afterFiles?: any[], fallback?: any[] } }} Rules */
/** @typedef {{ config?: any, rules?: Rules, pages?: string[], dataPages?: string[], appPages?: string[], files?: string[], middleware?: any[] }} Synthetic */

/** @typedef {{ kind: string, message?: string, itemPath?: string, status?: number, location?: string, url?: string, [name: string]: any }} Decision */

/** The fields that both routers read. @param {any} [config] */
export function completeConfig(config = {}) {
  return {
    basePath: '',
    assetPrefix: '',
    trailingSlash: false,
    useFileSystemPublicRoutes: true,
    distDir: '.next',
    experimental: {},
    ...config,
  }
}

/**
 * Runs something of `next build` that ends the process over a mistake; here it throws.
 * @template T
 * @param {() => T} run
 * @returns {T}
 */
function withoutExit(run) {
  const { exit } = process
  const { error, warn } = console
  const restore = () => {
    process.exit = exit
    Object.assign(console, { error, warn })
  }
  process.exit = /** @type {any} */ (
    () => {
      throw new Refused()
    }
  )
  console.error = console.warn = () => {}
  let result
  try {
    result = run()
  } catch (error) {
    restore()
    throw error
  }
  if (result instanceof Promise) return /** @type {any} */ (result.finally(restore))
  restore()
  return result
}

/** A mistake in a rule that `next build` refuses. */
export class Refused extends Error {}

/** Middleware was asked; what it would say is not part of the decision. */
class MiddlewareRuns extends Error {}

/** Whether `next build` accepts a rule. @param {'redirect' | 'rewrite' | 'header' | 'middleware'} kind @param {any} rule */
export function isAccepted(kind, rule) {
  try {
    withoutExit(() => checkCustomRoutes([structuredClone(rule)], kind))
    return true
  } catch {
    return false
  }
}

/**
 * Writes the manifests of a build as `next build` would. Throws `Refused` when it would end over the rules.
 * @param {string} dir @param {Synthetic} build
 */
export async function writeBuild(
  dir,
  { config, rules = {}, pages = [], dataPages = [], appPages = [], files = [], middleware },
) {
  const dist = path.join(dir, '.next')
  mkdirSync(path.join(dist, 'server'), { recursive: true })
  mkdirSync(path.join(dist, 'static'), { recursive: true })
  const write = (/** @type {string} */ name, /** @type {any} */ value) =>
    writeFileSync(path.join(dist, name), typeof value === 'string' ? value : JSON.stringify(value))
  const complete = completeConfig(config)
  const given = structuredClone(rules)
  const custom = await withoutExit(() =>
    loadCustomRoutes({
      ...complete,
      redirects: async () => given.redirects ?? [],
      headers: async () => given.headers ?? [],
      rewrites: async () => given.rewrites ?? {},
    }),
  )
  const appRoutes = Object.fromEntries(appPages.map(page => [page, normalizeAppPath(page)]))
  const dynamic = [...new Set([...pages, ...Object.values(appRoutes)])].filter(page => isDynamicRoute(page))
  write('BUILD_ID', BUILD_ID)
  write('routes-manifest.json', {
    version: 3,
    basePath: complete.basePath,
    redirects: custom.redirects,
    headers: custom.headers,
    onMatchHeaders: custom.onMatchHeaders ?? [],
    rewrites: custom.rewrites,
    dynamicRoutes: getSortedRoutes(dynamic).map((/** @type {string} */ page) => ({
      page,
      regex: getRouteRegex(page).re.source,
    })),
    staticRoutes: [],
    dataRoutes: dataPages.map(page => buildDataRoute(page, BUILD_ID)),
  })
  write('prerender-manifest.json', { version: 4, routes: {}, dynamicRoutes: {}, notFoundRoutes: [] })
  write('server/preview-props.json', {
    previewModeId: 'id',
    previewModeSigningKey: 'signing',
    previewModeEncryptionKey: 'encryption',
  })
  const matchers = middleware && withoutExit(() => getMiddlewareMatchers(structuredClone(middleware), complete))
  const functions = matchers ? { '/_middleware': { runtime: 'nodejs', matchers } } : {}
  write('server/functions-config-manifest.json', { version: 1, functions })
  write('server/middleware-manifest.json', { version: 3, middleware: {}, functions: {}, sortedMiddleware: [] })
  write('server/pages-manifest.json', {
    '/_app': 'pages/_app.js',
    '/_document': 'pages/_document.js',
    '/_error': 'pages/_error.js',
    ...Object.fromEntries(pages.map(page => [page, `pages${page}.js`])),
  })
  write('server/app-paths-manifest.json', Object.fromEntries(appPages.map(page => [page, `app${page}.js`])))
  write('app-path-routes-manifest.json', appRoutes)
  for (const file of files) {
    const full = path.join(dir, 'public', file)
    mkdirSync(path.dirname(full), { recursive: true })
    writeFileSync(full, '')
  }
}

/** @param {string} target @param {string[]} headers name and value in turn */
export function makeRequest(target, headers) {
  const req = /** @type {any} */ (new IncomingMessage(new Socket()))
  req.url = target
  req.method = 'GET'
  req._addHeaderLines(headers, headers.length)
  return req
}

/**
 * Opens a build in upstream's router. Throws when a rule does not compile.
 * @param {string} dir @param {any} [config]
 */
export async function openUpstream(dir, config) {
  const complete = completeConfig(config)
  const fsChecker = await setupFsCheck({ dir, dev: false, config: complete })
  const requestHandler = async () => {
    throw new MiddlewareRuns()
  }
  /** @type {unknown} */
  const renderer = { initialize: async () => ({ requestHandler }) }
  const options = { dir, dev: false, port: 3000, onDevServerCleanup: undefined }
  // Of a renderer no more than this is asked for, and that asks for nothing.
  const server = /** @type {Parameters<typeof getResolveRoutes>[4]} */ (renderer)
  const unused = /** @type {Parameters<typeof getResolveRoutes>[5]} */ (options)
  const resolve = getResolveRoutes(fsChecker, complete, () => complete.assetPrefix, options, server, unused)
  const { signal } = new AbortController()
  return (/** @type {any} */ req, /** @type {any} */ res) =>
    // As an upgrade, so that no copy of the body is prepared; the decision is the same.
    resolve({ req, res, isUpgradeReq: true, signal, invokedOutputs: undefined })
}

/** @param {string} dir @param {any} [config] */
export function openQuestion(dir, config) {
  return { dir, distDir: path.join(dir, '.next'), version: nextVersion, config: completeConfig(config) }
}

export const decideSource = fileURLToPath(new URL('decide.rs', import.meta.url))

/**
 * The decision for a request, in the form of `decide.rs`.
 * @param {Awaited<ReturnType<typeof openUpstream>>} resolve @param {{ target: string, headers: string[] }} asked
 * @returns {Promise<Decision>}
 */
export async function upstreamDecision(resolve, { target, headers }) {
  const req = makeRequest(target, headers)
  /** @type {[string, any][]} */
  const direct = []
  const res = { closed: false, finished: false, setHeader: (/** @type {[string, any]} */ ...line) => direct.push(line) }
  let result
  try {
    result = await resolve(req, res)
  } catch (error) {
    if (error instanceof MiddlewareRuns) return { kind: 'middleware' }
    return error instanceof DecodeError
      ? { kind: 'badRequest' }
      : { kind: 'fault', message: /** @type {Error} */ (error).message }
  }
  const { finished, parsedUrl, matchedOutput, statusCode = 0 } = result
  const listed = [...direct, ...Object.entries(result.resHeaders ?? {})]
  if (statusCode > 300 && statusCode < 400) {
    return { kind: 'redirect', status: statusCode, location: formatUrl(parsedUrl), headers: listed }
  }
  if (finished && parsedUrl.protocol) {
    const { query, ...rest } = parsedUrl
    return { kind: 'proxy', url: formatUrl({ ...rest, search: stringifyQuery(req, query) }), headers: listed }
  }
  const place = { path: parsedUrl.pathname, query: Object.entries(parsedUrl.query), headers: listed }
  if (!matchedOutput) return { kind: 'none', ...place }
  const { type, itemPath, route, params } = matchedOutput
  if (type !== 'appFile' && type !== 'pageFile') return { kind: type, itemPath, ...place }
  return {
    kind: 'output',
    itemPath,
    page: route?.page,
    params: params ? { ...params } : null,
    data: getRequestMeta(req, 'isNextDataReq') ?? false,
    ...place,
  }
}
