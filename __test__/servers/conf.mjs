// The documented server with the app's own next.config as `conf`. Upstream ignores it; ferronext takes the rules from it.
import { createServer } from 'node:http'
import { parse } from 'node:url'
import next from 'next'
import conf from './next.config.mjs'

const port = Number(process.env.PORT)
const app = next({ dev: false, conf })
const handle = app.getRequestHandler()

await app.prepare()
createServer((req, res) => handle(req, res, parse(req.url ?? '/', true))).listen(port, () => console.log('listening'))
