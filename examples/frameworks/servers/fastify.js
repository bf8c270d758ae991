import cookie from '@fastify/cookie'
import session from '@fastify/session'
import fastify from 'fastify'
import next from 'next'
import { attachSockets } from './sockets.js'

const port = Number(process.env.PORT ?? 3000)
const app = next({ dev: process.env.NODE_ENV !== 'production', port })
const handle = app.getRequestHandler()
await app.prepare()

/** @type {string[]} */
const seen = []
const server = fastify()
server.register(cookie)
server.register(session, {
  secret: process.env.SESSION_SECRET ?? 'an example that is thirty-two bytes long',
  cookie: { secure: false },
  saveUninitialized: false,
})
server.addHook('onRequest', async (request, reply) => {
  const { method, url } = request // Next.js changes the URL on its way
  reply.header('x-before', 'fastify')
  reply.raw.on('finish', () => seen.push(`${method} ${url} ${reply.raw.statusCode}`))
})
server.get('/', async () => 'own')
server.post('/login', async request => {
  const { name } = /** @type {{ name?: string }} */ (request.query)
  Object.assign(request.session, { name })
  return 'welcome'
})
server.get('/seen', async () => seen)
server.register(async scope => {
  // Next.js reads the body itself.
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
  /** @param {import('fastify').FastifyRequest} request @param {import('fastify').FastifyReply} reply */
  const toNext = async (request, reply) => {
    Object.assign(request.raw, { session: request.session })
    // From here on the response is Next.js's; what Fastify would have sent with it goes onto Node's own object.
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '')
    reply.hijack()
    await handle(request.raw, reply.raw)
  }
  scope.all('/app', toNext)
  scope.all('/app/*', toNext)
})
server.setNotFoundHandler(async (_request, reply) => reply.code(404).send('not here'))

attachSockets(server.server)
await server.listen({ port, host: '::' })
console.log(`Listening on http://localhost:${port}`)
