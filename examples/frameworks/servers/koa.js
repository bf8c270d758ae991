import Koa from 'koa'
import session from 'koa-session'
import next from 'next'
import { attachSockets } from './sockets.js'

const port = Number(process.env.PORT ?? 3000)
const app = next({ dev: process.env.NODE_ENV !== 'production', port })
const handle = app.getRequestHandler()
await app.prepare()

/** @type {string[]} */
const seen = []
const server = new Koa()
server.keys = [process.env.SESSION_SECRET ?? 'example']
server.use(session(server))
server.use(async (ctx, done) => {
  ctx.set('x-before', 'koa')
  ctx.res.on('finish', () => seen.push(`${ctx.method} ${ctx.originalUrl} ${ctx.res.statusCode}`))
  await done()
})
server.use(async (ctx, done) => {
  if (ctx.path === '/') ctx.body = 'own'
  else if (ctx.path === '/seen') ctx.body = seen
  else if (ctx.path === '/login' && ctx.method === 'POST') {
    ctx.session.name = ctx.query.name
    ctx.body = 'welcome'
  } else await done()
})
server.use(async (ctx, done) => {
  if (ctx.path !== '/app' && !ctx.path.startsWith('/app/')) return done()
  Object.assign(ctx.req, { session: ctx.session })
  // Koa begins with 404 and answers when the middleware is through. Both is for Next.js to do.
  ctx.res.statusCode = 200
  ctx.respond = false
  await handle(ctx.req, ctx.res)
})
server.use(ctx => {
  ctx.status = 404
  ctx.body = 'not here'
})

attachSockets(server.listen(port, () => console.log(`Listening on http://localhost:${port}`)))
