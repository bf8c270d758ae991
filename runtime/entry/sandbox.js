// In: a bundle that was compiled for the edge runtime, and a request. Out: the answer of the bundle, from upstream's sandbox.
// Upstream: `runMiddleware` and `runEdgeFunction` of next/dist/server/next-server.js.

const path = require('node:path')
const { platformContext } = require('../process/in-flight')
const { clientAssetToken } = require('../process/setup')

/**
 * @typedef {object} EdgeFunction an entry of `server/middleware-manifest.json`
 * @property {string} name
 * @property {string[]} files
 * @property {{ filePath: string }[]} [wasm]
 * @property {{ filePath: string }[]} [assets]
 * @property {Record<string, string>} [env]
 *
 * @typedef {import('./fast/middleware').Realm} Realm
 */

/**
 * @param {import('../app/state').ServerState} server
 * @param {EdgeFunction} info
 * @param {object} request what the bundle sees; see `RequestData` in next/dist/server/web/types
 * @param {object} [options] further options of the sandbox
 * @returns {Promise<{ response: Response, waitUntil: Promise<unknown>, rewriteLocaleWasInferred?: boolean }>}
 */
function runInSandbox(server, info, request, options) {
  return server.next.load('sandbox').run({ ...optionsOf(server, info), request, ...options })
}

/**
 * Opens the sandbox of a bundle, which keeps it.
 * @param {import('../app/state').ServerState} server
 * @param {EdgeFunction} info
 * @returns {Promise<Realm>}
 */
async function openSandbox(server, info) {
  const { context } = await server.next.load('sandbox').getRuntimeContext(optionsOf(server, info))
  const { edgeSandboxNextRequestContext, requestStore } = server.next.load('sandboxContext')
  return {
    isEdge: true,
    Request: context.Request,
    Response: context.Response,
    run: (waitUntil, headers, work) =>
      edgeSandboxNextRequestContext.run({ ...platformContext(), waitUntil }, () => requestStore.run({ headers }, work)),
  }
}

/**
 * @param {import('../app/state').ServerState} server
 * @param {EdgeFunction} info
 */
function optionsOf({ config, distDir }, info) {
  const below = (/** @type {string} */ file) => path.join(distDir, file)
  const located = (/** @type {{ filePath: string }} */ asset) => ({ ...asset, filePath: below(asset.filePath) })
  const { name, files, wasm = [], assets, env } = info
  const paths = files.map(below)
  return {
    distDir,
    name,
    paths,
    edgeFunctionEntry: { name, paths, wasm: wasm.map(located), assets: assets?.map(located), env },
    useCache: true,
    clientAssetToken: clientAssetToken(config, config.deploymentId || ''),
  }
}

module.exports = { openSandbox, runInSandbox }
