// In: what upstream's `start-server` asks its `router-server` for: the handlers of `next start`, of a standalone build's
// server.js and of `next/dist/server/next`. Out: ferronext's handlers in production, upstream's own in development.

const next = require('./entry')

/** @param {any} options */
async function initialize(options) {
  const { dev, dir, hostname, minimalMode, port, quiet, server } = options
  // Minimal mode is the contract of a platform that routes by itself.
  if (dev || minimalMode) return require('../dist/server/lib/router-server').initialize(options)
  // The server is start-server's, and its listener would hand the upgrade to us. We listen ourselves, and alone.
  server?.removeAllListeners('upgrade')
  const app = next({ customServer: false, dev: false, dir, hostname, port, quiet, httpServer: server })
  await app.prepare()
  return {
    requestHandler: app.getRequestHandler(),
    upgradeHandler: async () => {},
    server: app,
    closeUpgraded() {},
  }
}

exports.initialize = initialize
