// The same as server.js for Jest, whose module system is CommonJS.

const { createServer } = require('node:http')
const next = require('ferronext')

module.exports.createApp = async () => {
  const app = next({ dev: false, dir: __dirname })
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
