// In: a server file of the user's. Out: this process runs it as `node --import ferronext/register <file>` would.

const Module = require('node:module')
const { pathToFileURL } = require('node:url')
const { enable, isModule, wayOf } = require('./typescript')

/**
 * @param {string} file absolute path
 * @param {string[]} args what the file finds in `process.argv`
 * @param {string | undefined} typescript the option `--typescript`
 */
async function runServerFile(file, args, typescript) {
  const way = wayOf(file, typescript)
  await enable(way)
  require('../runtime/register')
  process.argv.splice(1, Number.POSITIVE_INFINITY, file, ...args)
  // Without a loader on its command line Node takes TypeScript for CommonJS, whatever its name says.
  if (way && way.by !== 'node' && isModule(file)) return void (await import(pathToFileURL(file).href))
  // What Node itself calls for the main file: `require.main` and the choice between the two module systems are Node's.
  Module.runMain()
}

module.exports = { runServerFile }
