// A web socket of the server's own at /ws, next to what Next.js does with upgrades.

import { WebSocketServer } from 'ws'

/** @param {import('node:net').Server} server of any protocol that has upgrades */
export function attachSockets(server) {
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', socket => socket.on('message', text => socket.send(`echo: ${text}`)))
  server.on('upgrade', (req, socket, head) => {
    if (req.url !== '/ws') return // left to Next.js
    sockets.handleUpgrade(req, socket, head, client => sockets.emit('connection', client, req))
  })
}
