// The documented server in two threads. `/__port` tells the port of the second one, `/__end` ends it.
const { createServer } = require('node:http')
const { Worker, isMainThread, parentPort } = require('node:worker_threads')
const next = require('next')

/** @param {import('node:http').Server} server */
const portOf = server => /** @type {import('node:net').AddressInfo} */ (server.address()).port

const app = next({ dev: false })
const handle = app.getRequestHandler()
app.prepare().then(() => {
  if (!isMainThread) {
    const server = createServer(handle).listen(0, () => parentPort?.postMessage(portOf(server)))
    return
  }
  const worker = new Worker(__filename)
  worker.once('message', port => {
    const server = createServer(async (req, res) => {
      if (req.url === '/__port') return res.end(String(port))
      if (req.url === '/__end') {
        await worker.terminate()
        return res.end('ended')
      }
      handle(req, res)
    })
    server.listen(process.env.PORT, () => console.log('listening'))
  })
})
