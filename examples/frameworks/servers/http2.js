// HTTP/2 through Node's compatibility API. Clients that speak HTTP/1.1 only are served on the same port.

import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import next from 'next'

const port = Number(process.env.PORT ?? 3000)
const app = next({ dev: process.env.NODE_ENV !== 'production', port })
const handle = app.getRequestHandler()
await app.prepare()

const [key, cert] = [readFileSync(process.env.TLS_KEY), readFileSync(process.env.TLS_CERT)]
const server = createSecureServer({ key, cert, allowHTTP1: true }, (req, res) => {
  res.setHeader('x-before', 'http2')
  if (/^\/app(\/|$|\?)/.test(req.url)) return handle(req, res)
  res.statusCode = req.url === '/' ? 200 : 404
  res.end(req.url === '/' ? 'own' : 'not here')
})
server.listen(port, () => console.log(`Listening on https://localhost:${port}`))
