// A custom server in development: plain, or an Express app with middleware of its own before and after. `/__close` closes all
// there is and tells what is left; the process then ends, because Turbopack's callbacks would keep it.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import next from 'next'

const port = Number(process.env.PORT)
const app = next({ dev: true, port, ...JSON.parse(process.env.SERVER_OPTIONS ?? '{}'), ...rules() })

/** Functions do not fit into the environment. */
function rules() {
  if (process.env.SERVER_RULES === undefined) return {}
  return {
    conf: { redirects: async () => [{ source: '/old', destination: '/', permanent: false }], generateEtags: false },
  }
}

const handle = app.getRequestHandler()
await app.prepare()

/** @param {import('node:http').IncomingMessage} req @param {import('node:http').ServerResponse} res */
async function listener(req, res) {
  if (req.url !== '/__close') return handle(req, res)
  res.end('closing', async () => {
    server.close()
    server.closeAllConnections()
    await app.close()
    // A turn for handles that are closed to be gone. Reads and writes that are under way end by themselves.
    setTimeout(() => {
      const left = process
        .getActiveResourcesInfo()
        .filter(name => !/^(PipeWrap|TTYWrap|Timeout|TickObject|Immediate|FSReq\w+)$/.test(name))
      console.log(`left open: ${JSON.stringify(left)}`)
      if (process.env.ENDS_BY_ITSELF === undefined) process.exit()
    }, 50)
  })
}

const server = process.env.EXPRESS === undefined ? createServer(listener) : createServer(expressServer())
server.listen(port, () => console.log('listening'))

function expressServer() {
  const require = createRequire(process.env.TEST_PACKAGES ?? '')
  const express = require('express')
  const application = express()
  application.use((req, res, done) => {
    res.set('x-express', req.method)
    done()
  })
  application.get('/own', (_req, res) => res.json({ own: true }))
  application.all('/{*any}', listener)
  return application
}
