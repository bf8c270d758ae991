import express from 'express'
import session from 'express-session'
import next from 'next'
import { attachSockets } from './sockets.js'

const port = Number(process.env.PORT ?? 3000)
const app = next({ dev: process.env.NODE_ENV !== 'production', port })
const handle = app.getRequestHandler()
await app.prepare()

/** @type {string[]} */
const seen = []
const server = express()
server.use(session({ secret: process.env.SESSION_SECRET ?? 'example', resave: false, saveUninitialized: false }))
server.use((req, res, done) => {
  res.set('x-before', 'express')
  res.on('finish', () => seen.push(`${req.method} ${req.originalUrl} ${res.statusCode}`))
  done()
})
server.get('/', (_req, res) => res.send('own'))
server.post('/login', (req, res) => {
  Object.assign(req.session, { name: String(req.query.name) })
  res.send('welcome')
})
server.get('/seen', (_req, res) => res.json(seen))
// Not `server.use('/app', …)`, which would take the path off the URL.
server.all('/app{/*rest}', (req, res) => handle(req, res))
server.use((_req, res) => res.status(404).send('not here'))
// Four arguments: that is how Express knows a handler of errors.
/** @type {import('express').ErrorRequestHandler} */
const failed = (error, _req, res, _done) => res.status(500).send(`failed: ${error.message}`)
server.use(failed)

attachSockets(server.listen(port, () => console.log(`Listening on http://localhost:${port}`)))
