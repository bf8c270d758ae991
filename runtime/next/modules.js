// Every module of `next` and of its dependencies that ferronext loads. No other file has their ids. `next.load(name)` of package.js loads one of
// them, `ferronext standalone` copies them, `ferronext info` checks that they are installed, and a test compares the table with the code.

/**
 * @typedef {object} Module
 * @property {string} id
 * @property {string} [versions] the range of tested versions that have it; without one, all
 * @property {true} [optional] whether ferronext serves without it
 * @property {'development' | 'command' | 'entry'} [scope] who loads it, if not a server in production: the development server; a command of
 *   `ferronext`; a compiled entry, from which ferronext takes it
 * @property {'prepare' | 'requests' | 'pages' | 'edge'} [preload] when it is loaded before a request needs it: during `prepare()`, because
 *   requests that fail and background renders need it when nothing can be loaded any more; soon after `prepare()`; after the entries of pages;
 *   in apps with edge functions or middleware
 * @property {string[]} users the files that load it, below runtime/ unless they are in bin/; none if it is only preloaded for upstream's code
 */

/** @satisfies {Record<string, Module>} */
const MODULES = {
  noFallbackError: {
    id: 'next/dist/shared/lib/no-fallback-error.external',
    preload: 'prepare',
    users: ['app/state.js'],
  },
  bytes: { id: 'next/dist/compiled/bytes', preload: 'prepare', users: ['app/conf.js', 'http/body-limit.js'] },
  fresh: { id: 'next/dist/compiled/fresh', preload: 'prepare', users: ['steps/direct.js'] },
  mockRequest: {
    id: 'next/dist/server/lib/mock-request',
    preload: 'prepare',
    users: ['http/internal-request.js', 'steps/direct.js'],
  },
  log: { id: 'next/dist/build/output/log', users: ['app/dev-server.js', 'next/config.js', 'observe/report.js'] },
  env: { id: '@next/env', users: ['next/config.js'] },
  config: { id: 'next/dist/server/config', users: ['app/dev-server.js', 'next/config.js'] },
  transpileConfig: { id: 'next/dist/build/next-config-ts/transpile-config', optional: true, users: ['next/config.js'] },
  semver: { id: 'next/dist/compiled/semver', optional: true, users: ['next/config.js'] },
  configUtils: { id: 'next/dist/server/config-utils', optional: true, users: ['next/config.js'] },
  matchRemotePattern: { id: 'next/dist/shared/lib/match-remote-pattern', optional: true, users: ['next/config.js'] },
  zod: { id: 'next/dist/shared/lib/zod', optional: true, users: ['next/config.js'] },
  flushTelemetry: {
    id: 'next/dist/telemetry/flush-telemetry',
    versions: '>=16',
    optional: true,
    users: ['next/config.js'],
  },
  constants: { id: 'next/dist/shared/lib/constants', users: ['app/dev-server.js', 'next/config.js'] },
  picomatch: { id: 'next/dist/compiled/picomatch', users: ['next/config.js'] },
  loadCustomRoutes: { id: 'next/dist/lib/load-custom-routes', users: ['app/conf-rules.js'] },
  pathToRegexp: { id: 'next/dist/compiled/path-to-regexp', users: ['app/conf-rules.js'] },
  routePatternNormalizer: { id: 'next/dist/lib/route-pattern-normalizer', users: ['app/conf-rules.js'] },
  httpAgent: { id: 'next/dist/server/setup-http-agent-env', users: ['process/setup.js'] },
  nodeEnvironment: { id: 'next/dist/server/node-environment', users: ['process/setup.js'] },
  requireHook: { id: 'next/dist/server/require-hook', users: ['process/setup.js'] },
  polyfillCrypto: { id: 'next/dist/server/node-polyfill-crypto', users: ['process/setup.js'] },
  errorHandlers: {
    id: 'next/dist/server/node-environment-extensions/process-error-handlers',
    versions: '>=16.2',
    optional: true,
    users: ['process/setup.js'],
  },
  debug: { id: 'next/dist/compiled/debug', users: ['observe/native-log.js'] },
  testMode: { id: 'next/dist/experimental/testmode/server', optional: true, users: ['next/test-mode.js'] },
  formatUrl: { id: 'next/dist/shared/lib/router/utils/format-url', preload: 'requests', users: ['app/state.js'] },
  webUtils: {
    id: 'next/dist/server/web/utils',
    preload: 'requests',
    users: ['entry/edge.js', 'entry/fast/middleware/index.js', 'entry/fast/route-handler.js', 'http/headers.js'],
  },
  nextRequest: {
    id: 'next/dist/server/web/spec-extension/adapters/next-request',
    preload: 'requests',
    users: ['entry/edge.js', 'entry/fast/middleware/index.js', 'steps/middleware.js'],
  },
  instrumentation: {
    id: 'next/dist/server/lib/router-utils/instrumentation-globals.external',
    preload: 'requests',
    users: ['entry/instrumentation.js'],
  },
  incrementalCache: {
    id: 'next/dist/server/lib/incremental-cache',
    preload: 'requests',
    users: ['cache/incremental-cache.js'],
  },
  nodeFsMethods: {
    id: 'next/dist/server/lib/node-fs-methods',
    preload: 'requests',
    users: ['cache/incremental-cache.js'],
  },
  serverUtils: {
    id: 'next/dist/server/server-utils',
    optional: true,
    preload: 'requests',
    users: ['entry/fast/prepare.js'],
  },
  parseUrl: { id: 'next/dist/lib/url', optional: true, preload: 'requests', users: ['entry/fast/prepare.js'] },
  pathMatch: {
    id: 'next/dist/shared/lib/router/utils/path-match',
    optional: true,
    preload: 'requests',
    users: ['entry/fast/prepare.js'],
  },
  decodePathParams: {
    id: 'next/dist/server/lib/router-utils/decode-path-params',
    optional: true,
    preload: 'requests',
    users: ['entry/fast/prepare.js'],
  },
  clientReferences: {
    id: 'next/dist/lib/client-and-server-references',
    optional: true,
    preload: 'requests',
    users: [],
  },
  routerUtils: { id: 'next/dist/shared/lib/router/utils', optional: true, users: ['entry/fast/prepare.js'] },
  appPaths: { id: 'next/dist/shared/lib/router/utils/app-paths', optional: true, users: ['entry/fast/prepare.js'] },
  removePathPrefix: {
    id: 'next/dist/shared/lib/router/utils/remove-path-prefix',
    optional: true,
    users: ['entry/fast/prepare.js'],
  },
  removeTrailingSlash: {
    id: 'next/dist/shared/lib/router/utils/remove-trailing-slash',
    optional: true,
    users: ['entry/fast/prepare.js'],
  },
  reactDomNode: { id: 'react-dom/server.node', optional: true, preload: 'pages', users: ['entry/fast/react.js'] },
  reactDomEdge: { id: 'react-dom/server.edge', optional: true, users: ['entry/fast/react.js'] },
  htmlEscape: {
    id: 'next/dist/shared/lib/htmlescape',
    versions: '>=15.5.29 <16 || >=16.2',
    optional: true,
    preload: 'pages',
    users: ['entry/fast/react.js'],
  },
  htmlEscapeOlder: {
    id: 'next/dist/server/htmlescape',
    versions: '<15.5.29 || >=16 <16.2',
    optional: true,
    users: ['entry/fast/react.js'],
  },
  queryString: { id: 'next/dist/shared/lib/router/utils/querystring', preload: 'edge', users: ['entry/edge.js'] },
  sandbox: { id: 'next/dist/server/web/sandbox', preload: 'edge', users: ['entry/sandbox.js'] },
  sandboxContext: { id: 'next/dist/server/web/sandbox/context', preload: 'edge', users: ['entry/sandbox.js'] },
  headersAdapter: {
    id: 'next/dist/server/web/spec-extension/adapters/headers',
    users: ['entry/fast/middleware/stores.js'],
  },
  requestCookies: {
    id: 'next/dist/server/web/spec-extension/adapters/request-cookies',
    users: ['entry/fast/middleware/stores.js'],
  },
  relativizeUrl: {
    id: 'next/dist/shared/lib/router/utils/relativize-url',
    users: ['entry/fast/middleware/decision.js'],
  },
  appRouterHeaders: {
    id: 'next/dist/client/components/app-router-headers',
    users: ['entry/fast/middleware/index.js'],
  },
  pipeReadable: {
    id: 'next/dist/server/pipe-readable',
    preload: 'edge',
    users: ['entry/edge.js', 'steps/middleware.js'],
  },
  serverActions: { id: 'next/dist/server/lib/server-action-request-meta', users: ['steps/direct.js'] },
  tagsManifest: { id: 'next/dist/server/lib/incremental-cache/tags-manifest.external', users: ['cache/tags.js'] },
  useCacheHandlers: { id: 'next/dist/server/use-cache/handlers', users: ['cache/use-cache-handler.js'] },
  openTelemetry: { id: 'next/dist/compiled/@opentelemetry/api', users: ['observe/spans.js'] },
  tracer: { id: 'next/dist/server/lib/trace/tracer', users: ['observe/spans.js'] },
  spanNames: { id: 'next/dist/server/lib/trace/constants', users: ['observe/spans.js'] },
  apiRouteTurbopack: {
    id: 'next/dist/compiled/next-server/pages-api-turbo.runtime.prod.js',
    optional: true,
    scope: 'entry',
    users: ['entry/fast/api-route.js'],
  },
  apiRouteWebpack: {
    id: 'next/dist/compiled/next-server/pages-api.runtime.prod.js',
    optional: true,
    scope: 'entry',
    users: ['entry/fast/api-route.js'],
  },
  developmentServer: { id: 'next/dist/server/next', scope: 'development', users: ['app/dev-server.js'] },
  watchpack: {
    id: 'next/dist/compiled/watchpack',
    scope: 'development',
    users: ['bin/supervisor.js', 'app/dev-resources.js', 'app/dev-server.js'],
  },
  jestWorker: { id: 'next/dist/compiled/jest-worker', scope: 'development', users: ['app/dev-resources.js'] },
  nft: { id: 'next/dist/compiled/@vercel/nft', scope: 'command', users: ['bin/standalone/trace.js'] },
}

/** @typedef {keyof typeof MODULES} ModuleName */

/** @type {[ModuleName, Module][]} */
const ALL = /** @type {any} */ (Object.entries(MODULES))

/**
 * The modules that are loaded before a request asks for them.
 * @param {NonNullable<Module['preload']>} when
 */
const preloaded = when => ALL.filter(([, { preload }]) => preload === when).map(([name]) => name)

/** The ids of everything that a server loads in production. */
const serverModules = () => ALL.filter(([, { scope }]) => scope === undefined).map(([, { id }]) => id)

/** The ids of what no server can do without. */
const requiredModules = () =>
  ALL.filter(([, { optional, scope }]) => !optional && scope === undefined).map(([, { id }]) => id)

module.exports = { MODULES, preloaded, requiredModules, serverModules }
