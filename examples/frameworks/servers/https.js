import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import next from 'next'
import { attachSockets } from './sockets.js'

const port = Number(process.env.PORT ?? 3000)
const app = next({ dev: process.env.NODE_ENV !== 'production', port })
const handle = app.getRequestHandler()
await app.prepare()

const { TLS_KEY = 'key.pem', TLS_CERT = 'cert.pem' } = process.env
const [key, cert] = [readFileSync(TLS_KEY), readFileSync(TLS_CERT)]
const server = createServer({ key, cert }, (req, res) => {
  res.setHeader('x-before', 'https')
  if (/^\/app(\/|$|\?)/.test(req.url ?? '')) return handle(req, res)
  res.statusCode = req.url === '/' ? 200 : 404
  res.end(req.url === '/' ? 'own' : 'not here')
})
attachSockets(server)
server.listen(port, () => console.log(`Listening on https://localhost:${port}`))
