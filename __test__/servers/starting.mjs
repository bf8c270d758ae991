// A custom server whose app has an instrumentation that may not end: `/__go-on` ends it.
import { createServer } from 'node:http'
import next from 'next'

const app = next({ dev: false, health: true, metrics: '/metrics' })
const handle = app.getRequestHandler()
await app.prepare()

createServer((req, res) => {
  if (req.url !== '/__go-on') return handle(req, res)
  const { goOn } = /** @type {typeof globalThis & { goOn: () => void }} */ (globalThis)
  goOn()
  res.end()
}).listen(process.env.PORT, () => console.log('listening'))
