// `ferronext standalone <server file>`: the server file, the app and what both of them load, in one folder that runs with
// `node server.js` and no installation.

const { existsSync } = require('node:fs')
const path = require('node:path')
const { codedError } = require('../../runtime/errors')
const { findNext } = require('../../runtime/next/package')
const { loadConfig, loadEnvironment } = require('../../runtime/next/config')
const { traceApp } = require('../standalone/trace')
const { writeFolder } = require('../standalone/write')

/** @type {import('../run').Command['options']} */
const options = { dir: { type: 'string' }, out: { type: 'string', short: 'o' } }

/**
 * @param {{ dir?: string, out?: string }} values
 * @param {string[]} positionals
 */
async function run({ dir: folder = '.', out }, [file]) {
  if (file === undefined) {
    throw codedError(
      'FERRONEXT_BAD_ARGUMENT',
      'Which server file? `ferronext standalone server.ts` takes the one that you start the app with.',
    )
  }
  const dir = path.resolve(folder)
  const serverFile = path.resolve(dir, file)
  if (!existsSync(serverFile)) {
    throw codedError('FERRONEXT_BAD_ARGUMENT', `There is no server file ${serverFile}.`)
  }
  const environment = /** @type {Record<string, string | undefined>} */ (process.env)
  environment.NODE_ENV ||= 'production'
  const next = findNext(dir)
  loadEnvironment(next, dir)
  const distDir = path.join(dir, (await loadConfig(next, dir)).distDir)
  const manifest = path.join(distDir, 'required-server-files.json')
  if (!existsSync(manifest)) {
    throw codedError('FERRONEXT_NO_BUILD', `There is no production build in ${distDir}. Run \`next build\` first.`)
  }
  const target = path.resolve(dir, out ?? path.join(path.relative(dir, distDir), 'ferronext'))
  const app = { dir, distDir, serverFile, out: target, config: require(manifest).config, next }
  const { files, sources, warnings } = await traceApp(app)
  for (const warning of warnings) console.warn(warning)
  const { count, bytes } = writeFolder(app, files, sources)
  console.log(`${target}: ${count} files, ${(bytes / 1e6).toFixed(1)} MB. Run it with \`node server.js\`.`)
}

module.exports = { options, run }
