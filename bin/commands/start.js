// `ferronext start [server file | folder]`: a server file, or the app itself, in production.

const path = require('node:path')
const { INSPECTING, inspect } = require('../inspect')
const { serve } = require('../serve')
const { runServerFile } = require('../server-file')
const { numberOf, portOf, targetOf } = require('../target')
const { hostnameOf } = require('../hostname')
const { badArgument } = require('../fault')

/** The longest time that a timer of Node's can wait, in milliseconds. */
const LONGEST = 2_147_483_647

/** Below the 30 s that Kubernetes gives a pod between SIGTERM and SIGKILL. */
const SHUTDOWN_TIMEOUT = 25_000

/** @type {import('../run').Command['options']} */
const options = {
  port: { type: 'string', short: 'p' },
  hostname: { type: 'string', short: 'H' },
  typescript: { type: 'string' },
  keepAliveTimeout: { type: 'string' },
  'shutdown-timeout': { type: 'string' },
  'access-log': { type: 'string' },
  metrics: { type: 'string' },
  health: { type: 'boolean' },
  'trust-proxy': { type: 'string' },
  'trust-origin': { type: 'boolean' },
  ...INSPECTING,
}

/** Options that a server file passes to `next()` and to its own HTTP server. */
const OF_THE_APP = [
  'keepAliveTimeout',
  'shutdown-timeout',
  'access-log',
  'metrics',
  'health',
  'trust-proxy',
  'trust-origin',
]

/** @type {import('../run').Command['run']} */
async function run(values, positionals, rest) {
  const target = targetOf(positionals)
  const environment = /** @type {Record<string, string | undefined>} */ (process.env)
  environment.NODE_ENV ||= 'production'
  const port = portOf(values)
  inspect(values, target.dir ?? path.dirname(target.file))
  if (target.file !== undefined) {
    for (const name of OF_THE_APP) {
      if (values[name] !== undefined)
        throw badArgument(`--${name} is for the app itself; a server file decides that in its code`)
    }
    if (values.port !== undefined) process.env.PORT = String(port)
    if (values.hostname !== undefined) process.env.HOSTNAME = values.hostname
    return runServerFile(target.file, rest, values.typescript)
  }
  const accessLog = values['access-log']
  if (accessLog !== undefined && accessLog !== 'text' && accessLog !== 'json') {
    throw badArgument(`--access-log takes text or json, not "${accessLog}"`)
  }
  await serve({
    dir: target.dir,
    dev: false,
    port: port ?? 3000,
    hostname: hostnameOf(values),
    keepAliveTimeout: numberOf('--keepAliveTimeout', values.keepAliveTimeout, LONGEST),
    shutdownTimeout: numberOf('--shutdown-timeout', values['shutdown-timeout'], LONGEST) ?? SHUTDOWN_TIMEOUT,
    accessLog,
    metrics: values.metrics,
    health: values.health,
    trustProxy: trustProxyOf(values),
  })
}

/**
 * The option `trustProxy` of next().
 * @param {Record<string, any>} values
 * @returns {import('../../index').NextServerOptions['trustProxy']}
 */
function trustProxyOf({ 'trust-proxy': from, 'trust-origin': origin }) {
  if (from === undefined) {
    if (origin) throw badArgument('--trust-origin needs --trust-proxy: whose headers are believed')
    return undefined
  }
  const believed = from === 'true' ? true : from === 'false' ? false : from
  return origin ? { from: believed, origin } : believed
}

module.exports = { options, run }
