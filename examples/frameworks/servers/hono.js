import { serve } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { getSignedCookie, setSignedCookie } from 'hono/cookie'
import next from 'next'
import { attachSockets } from './sockets.js'

const port = Number(process.env.PORT ?? 3000)
const secret = process.env.SESSION_SECRET ?? 'example'
const app = next({ dev: process.env.NODE_ENV !== 'production', port })
const handle = app.getRequestHandler()
await app.prepare()

/** @type {string[]} */
const seen = []
/** @typedef {{ Bindings: import('@hono/node-server').HttpBindings }} Env */
/** @type {Hono<Env>} */
const server = new Hono()
server.use(async (c, done) => {
  const { incoming, outgoing } = c.env
  const { method, url } = incoming // Next.js changes the URL on its way
  outgoing.setHeader('x-before', 'hono')
  outgoing.on('finish', () => seen.push(`${method} ${url} ${outgoing.statusCode}`))
  await done()
})
server.get('/', c => c.text('own'))
server.post('/login', async c => {
  await setSignedCookie(c, 'name', c.req.query('name') ?? '', secret)
  return c.text('welcome')
})
server.get('/seen', c => c.json(seen))
/** @type {import('hono').Handler<Env>} */
const toNext = async c => {
  const { incoming, outgoing } = c.env
  const name = (await getSignedCookie(c, secret, 'name')) || undefined
  Object.assign(incoming, { session: { name } })
  await handle(incoming, outgoing)
  return RESPONSE_ALREADY_SENT
}
server.all('/app', toNext)
server.all('/app/*', toNext)
server.notFound(c => c.text('not here', 404))

attachSockets(serve({ fetch: server.fetch, port }, () => console.log(`Listening on http://localhost:${port}`)))
