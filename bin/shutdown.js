// In: SIGTERM or SIGINT. Out: the server drains: it accepts no new connections, requests, streams and background renders end, and the process
// exits with upstream's exit code. The deadline aborts in-flight work; a second signal exits at once.
// Upstream: `cleanup` of next/dist/server/lib/start-server.js, which has no deadline.

const { report } = require('../runtime/observe/report')

const EXIT_CODES = /** @type {Record<string, number>} */ ({ SIGINT: 130, SIGTERM: 143 })

/** How long a development server may take to end, in milliseconds. A developer waits for the prompt. */
const DEV_TIMEOUT = 1000

/**
 * @param {import('node:http').Server} server
 * @param {() => any} app once there is one
 * @param {{ dev: boolean, shutdownTimeout: number, exitsWithSignal: boolean }} options
 */
function shutDownOnSignal(server, app, { dev, shutdownTimeout, exitsWithSignal }) {
  // Upstream's own switch for servers that want to do this themselves.
  if (process.env.NEXT_MANUAL_SIG_HANDLE) return
  let isEnding = false
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    const code = exitsWithSignal ? (EXIT_CODES[signal] ?? 1) : 0
    if (isEnding) process.exit(code)
    isEnding = true
    const cutOff = setTimeout(
      () => {
        // In development work may be aborted silently.
        if (!dev)
          report('error', `Not everything was through ${shutdownTimeout} ms after ${signal}; ended all the same.`)
        process.exit(code)
      },
      dev ? DEV_TIMEOUT : shutdownTimeout,
    )
    end(server, app(), dev, shutdownTimeout).then(
      () => {
        clearTimeout(cutOff)
        process.exit(code)
      },
      error => {
        report('error', error)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

/**
 * @param {import('node:http').Server} server
 * @param {any} app
 * @param {boolean} dev
 * @param {number} timeout
 */
async function end(server, app, dev, timeout) {
  const closed = new Promise(resolve => server.close(resolve))
  // A connection closes after its current request; Node would keep it alive.
  Object.assign(server, { keepAliveTimeout: 1, keepAliveTimeoutBuffer: 0, maxRequestsPerSocket: 1 })
  // A developer waits for the prompt, not for streams.
  if (dev) server.closeAllConnections()
  else server.closeIdleConnections()
  // Both at once: upgraded connections have to end before the server can, and the app ends them.
  await Promise.all([closed, app?.close({ timeout })])
  // The last request may have left work behind.
  await app?.close({ timeout })
}

module.exports = { shutDownOnSignal }
