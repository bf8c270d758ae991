// An HTTP/2 server; a request that asks for it is read before.
import { createServer } from 'node:http2'
import next from 'next'

const app = next({ dev: false })
const handle = app.getRequestHandler()
await app.prepare()
createServer(async (req, res) => {
  if (req.headers['x-kept']) {
    const chunks = []
    for await (const chunk of req) chunks.push(chunk)
    Object.assign(req, { rawBody: Buffer.concat(chunks) })
  }
  // Node's compatibility API; the types of next() know HTTP/1.1 only.
  handle(
    /** @type {import('node:http').IncomingMessage} */ (/** @type {unknown} */ (req)),
    /** @type {import('node:http').ServerResponse} */ (/** @type {unknown} */ (res)),
  )
}).listen(Number(process.env.PORT), () => console.log('listening'))
