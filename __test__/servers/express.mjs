// An Express server around the app: middleware that extends req and res, mounted handlers, body parsers, a trusted proxy.
import { createRequire } from 'node:module'
import { parse } from 'node:url'
import next from 'next'

const require = createRequire(process.env.TEST_PACKAGES ?? '')
const express = require('express')

const port = Number(process.env.PORT)
const app = next({ dev: false, ...JSON.parse(process.env.SERVER_OPTIONS ?? '{}') })
const handle = app.getRequestHandler()
await app.prepare()

const server = express()
server.set('trust proxy', 'loopback')
server.use((req, res, done) => {
  Object.assign(req, { user: { name: 'ann' } })
  res.locals.seen = req.path
  res.set('x-express', req.method)
  done()
})
server.get('/own', (_req, res) => res.json({ own: true }))
server.get('/rendered/:id', (req, res) => app.render(req, res, '/server', { ...req.query, id: req.params.id }))
server.get('/failed', (req, res) => app.renderError(new Error('told'), req, res.status(503), '/plain', {}))
server.get('/absent', (req, res) => app.render404(req, res))
server.use('/mounted', (req, res) => handle(req, res))
server.use('/parsed', (req, res) => handle(req, res, parse(req.url, true)))
server.use('/original', (req, res) => handle(req, res, parse(req.originalUrl, true)))
server.use('/json', express.json(), (req, res) => handle(req, res))
server.use('/text', express.text({ type: '*/*' }), (req, res) => handle(req, res))
// @ts-expect-error Express passes a third argument, which is no parsed URL
server.use('/trap', handle)
server.use('/status', (req, res) => handle(req, res.status(202)))
server.use('/throws', () => {
  throw new Error('thrown by the user’s server')
})
server.all('/{*any}', (req, res) => handle(req, res))
server.listen(port, () => console.log('listening'))
