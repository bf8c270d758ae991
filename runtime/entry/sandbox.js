// In: a bundle that was compiled for the edge runtime, and a request. Out: the answer of the bundle, from upstream's sandbox.
// Upstream: `runMiddleware` and `runEdgeFunction` of next/dist/server/next-server.js.

const path = require('node:path')
const { clientAssetToken } = require('../process/setup')

/**
 * @typedef {object} EdgeFunction an entry of `server/middleware-manifest.json`
 * @property {string} name
 * @property {string[]} files
 * @property {{ filePath: string }[]} [wasm]
 * @property {{ filePath: string }[]} [assets]
 * @property {Record<string, string>} [env]
 */

/**
 * @param {import('../app/state').ServerState} server
 * @param {EdgeFunction} info
 * @param {object} request what the bundle sees; see `RequestData` in next/dist/server/web/types
 * @param {object} [options] further options of the sandbox
 * @returns {Promise<{ response: Response, waitUntil: Promise<unknown>, rewriteLocaleWasInferred?: boolean }>}
 */
function runInSandbox(server, info, request, options) {
  const { config, distDir, next } = server
  const below = (/** @type {string} */ file) => path.join(distDir, file)
  const located = (/** @type {{ filePath: string }} */ asset) => ({ ...asset, filePath: below(asset.filePath) })
  const { name, files, wasm = [], assets, env } = info
  const paths = files.map(below)
  return next.load('sandbox').run({
    distDir,
    name,
    paths,
    edgeFunctionEntry: { name, paths, wasm: wasm.map(located), assets: assets?.map(located), env },
    request,
    useCache: true,
    clientAssetToken: clientAssetToken(config, config.deploymentId || ''),
    ...options,
  })
}

module.exports = { runInSandbox }
