// In: uncaught errors, the user's own included. Out: a log line; the process goes on, as it does under upstream's
// server (next/dist/server/lib/router-server.js).

const { openLog } = require('../observe/report')

const INSTALLED = Symbol.for('ferronext.uncaught')

/**
 * @param {import('../next/package').NextPackage} next
 */
function keepProcessAlive(next) {
  const holder = /** @type {any} */ (process)
  if (holder[INSTALLED]) return
  holder[INSTALLED] = true
  // An error that is thrown in here would end the process (exit code 7).
  const { error: print } = openLog(next)
  process.on('uncaughtException', error => print('uncaughtException: ', error))
  const upstreams = loadHandlers(next)
  if (!upstreams) process.on('unhandledRejection', error => print('unhandledRejection: ', error))
  else if (!upstreams.isUnhandledRejectionListenerRegistered()) upstreams.registerUnhandledRejectionListener()
}

/**
 * Newer versions track their rejection listener, which entries would install, too. Older ones have none.
 * @param {import('../next/package').NextPackage} next
 */
function loadHandlers(next) {
  try {
    const handlers = next.load('errorHandlers')
    return handlers.registerUnhandledRejectionListener ? handlers : undefined
  } catch {
    return undefined
  }
}

module.exports = { keepProcessAlive }
