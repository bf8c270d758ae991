// A Fastify server that hands everything it does not know to the app.
import { createRequire } from 'node:module'
import next from 'next'

const require = createRequire(process.env.TEST_PACKAGES ?? '')
const fastify = require('fastify')

const app = next({ dev: false, ...JSON.parse(process.env.SERVER_OPTIONS ?? '{}') })
const handle = app.getRequestHandler()
await app.prepare()

const server = fastify({ trustProxy: true })
server.addHook('onRequest', async (request, reply) => {
  Object.assign(request.raw, { user: { name: 'bob' }, ip: request.ip })
  Object.assign(reply.raw, { locals: { seen: request.url } })
  reply.raw.setHeader('x-fastify', request.method)
})
// The app reads the body itself.
server.removeAllContentTypeParsers()
server.addContentTypeParser('*', (_request, _payload, done) => done(null))
server.get('/own', async () => ({ own: true }))
server.get('/rendered/:id', async (request, reply) => {
  reply.hijack()
  const { id } = /** @type {{ id: string }} */ (request.params)
  const query = /** @type {Record<string, string>} */ (request.query)
  await app.render(request.raw, reply.raw, '/server', { ...query, id })
})
server.setNotFoundHandler(async (request, reply) => {
  reply.hijack()
  await handle(request.raw, reply.raw)
})
await server.listen({ port: Number(process.env.PORT), host: '::' })
console.log('listening')
