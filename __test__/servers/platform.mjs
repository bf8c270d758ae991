// A custom server on a platform that offers each request a `waitUntil` of its own. `x-platform: none` is a request without a platform,
// `empty` one whose platform has no `waitUntil`. `/__asked` tells how often it was asked, by the header `x-probe`; `/__close` closes the
// app while something that was handed over has not ended.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import next from 'next'

const storage = new AsyncLocalStorage()
Object.assign(globalThis, { [Symbol.for('@next/request-context')]: { get: () => storage.getStore() } })

const app = next({ dev: false })
const handle = app.getRequestHandler()
await app.prepare()

/** @type {Record<string, number>} */
const asked = {}

createServer(async (req, res) => {
  if (req.url === '/__asked') return res.end(JSON.stringify(asked))
  if (req.url === '/__close') {
    let isClosed = false
    const closed = app.close().then(() => {
      isClosed = true
    })
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    const early = isClosed
    const { release } = /** @type {typeof globalThis & { release: () => void }} */ (globalThis)
    release()
    await closed
    return res.end(JSON.stringify({ early, isClosed }))
  }
  const platform = req.headers['x-platform']
  const probe = String(req.headers['x-probe'])
  if (platform === 'none') return handle(req, res)
  const waitUntil = (/** @type {Promise<unknown>} */ work) => {
    asked[probe] = (asked[probe] ?? 0) + 1
    work.catch(() => {})
  }
  return storage.run(platform === 'empty' ? {} : { waitUntil }, () => handle(req, res))
}).listen(process.env.PORT, () => console.log('listening'))
