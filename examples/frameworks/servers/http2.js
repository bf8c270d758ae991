// HTTP/2 through Node's compatibility API. Clients that speak HTTP/1.1 only are served on the same port.

import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import next from 'next'

const port = Number(process.env.PORT ?? 3000)
const app = next({ dev: process.env.NODE_ENV !== 'production', port })
const handle = app.getRequestHandler()
await app.prepare()

const { TLS_KEY = 'key.pem', TLS_CERT = 'cert.pem' } = process.env
const [key, cert] = [readFileSync(TLS_KEY), readFileSync(TLS_CERT)]
const server = createSecureServer({ key, cert, allowHTTP1: true }, (req, res) => {
  res.setHeader('x-before', 'http2')
  // Node's compatibility API does what `handle` needs; its types are others.
  if (/^\/app(\/|$|\?)/.test(req.url)) return handle(/** @type {any} */ (req), /** @type {any} */ (res))
  res.statusCode = req.url === '/' ? 200 : 404
  res.end(req.url === '/' ? 'own' : 'not here')
})
server.listen(port, () => console.log(`Listening on https://localhost:${port}`))
