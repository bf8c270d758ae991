// The server as the app runs it and as its tests start it.

import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import next from 'ferronext'

/** @returns {Promise<{ server: import('node:http').Server, close: () => Promise<void> }>} */
export async function createApp() {
  const app = next({ dev: false, dir: fileURLToPath(new URL('.', import.meta.url)) })
  await app.prepare()
  const handle = app.getRequestHandler()
  const server = createServer((req, res) => handle(req, res))
  return {
    server,
    async close() {
      await new Promise(resolve => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await app.close()
    },
  }
}
