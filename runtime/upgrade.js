// In: `upgrade` events of the user's HTTP server. Out: sockets that belong to Next.js are ended, all others are left to the
// user's own handlers. Upstream: `upgradeHandler` of next/dist/server/lib/router-server.js.

const { headOf } = require('./request')

/**
 * Attaches to the server once, the first time it is known.
 * @param {import('./server').ServerState} server
 * @param {import('node:http').Server | undefined} httpServer
 */
function attachUpgrade(server, httpServer) {
  httpServer?.on('upgrade', (req, socket) => {
    req.on('error', ignore)
    socket.on('error', ignore)
    try {
      const encrypted = Boolean(/** @type {any} */ (socket).encrypted)
      // What a page, a file or a redirect would answer is no place for another protocol.
      if (server.native.answersUpgrade(server.engine.key, headOf(/** @type {any} */ (req)), encrypted)) socket.end()
    } catch (error) {
      console.error('Error handling upgrade request', error)
      socket.end()
    }
  })
}

const ignore = () => {}

module.exports = { attachUpgrade }
