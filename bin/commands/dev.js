// `ferronext dev [server file | folder]`: a server file, or the app itself, in development. The server runs in a process of
// its own, which is restarted when a file changes that it has loaded.

const path = require('node:path')
const { findNext } = require('../../runtime/next/package')
const { badArgument } = require('../fault')
const { hostnameOf } = require('../hostname')
const { supervise } = require('../supervisor')
const { portOf, targetOf } = require('../target')
const { wayOf } = require('../typescript')

/** @type {import('../run').Command['options']} */
const options = {
  port: { type: 'string', short: 'p' },
  hostname: { type: 'string', short: 'H' },
  typescript: { type: 'string' },
  turbo: { type: 'boolean' },
  turbopack: { type: 'boolean' },
  webpack: { type: 'boolean' },
}

/** @type {import('../run').Command['run']} */
async function run(values, positionals, rest) {
  const target = targetOf(positionals)
  const environment = /** @type {Record<string, string | undefined>} */ (process.env)
  environment.NODE_ENV ||= 'development'
  const port = portOf(values)
  const turbopack = values.turbo || values.turbopack
  if (turbopack && values.webpack) throw badArgument('Pass either --turbopack or --webpack, not both')
  if (target.file === undefined) {
    const asked = port !== undefined
    const listens = { port: port ?? 3000, retriesPort: !asked, hostname: hostnameOf(values) }
    return supervise(
      { serve: { dir: target.dir, dev: true, ...listens, turbopack, webpack: values.webpack } },
      target.dir,
    )
  }
  if (turbopack || values.webpack)
    throw badArgument('--turbopack and --webpack are for the app itself; a server file passes them to next()')
  if (values.port !== undefined) environment.PORT = String(port)
  if (values.hostname !== undefined) environment.HOSTNAME = values.hostname
  wayOf(target.file, values.typescript) // says now what is missing
  const dir = path.dirname(target.file)
  findNext(dir)
  return supervise({ file: target.file, args: rest, typescript: values.typescript }, dir)
}

module.exports = { options, run }
