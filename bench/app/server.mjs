// The same custom server for upstream and ferronext. It prints what starting cost, as JSON, once it listens.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import next from 'next'

const port = Number(process.env.PORT)
const began = performance.now()
const app = next({ dev: false, port, hostname: '127.0.0.1' })
await app.prepare()
const prepare = performance.now() - began
const handle = app.getRequestHandler()

createServer((req, res) => handle(req, res)).listen(port, '127.0.0.1', () => {
  // Proves which engine it was: with upstream nothing of ferronext may be loaded, and the other way round.
  const loaded = Object.keys(createRequire(import.meta.url).cache)
  const engine = loaded.some(file => /[\\/]next-server\.js$/.test(file)) ? 'upstream' : 'ferronext'
  // `performance.now()` counts from the start of the process: `ready` has loading the packages in it.
  console.log(JSON.stringify({ prepare, ready: performance.now(), engine }))
})
