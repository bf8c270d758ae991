// Serves a built app with the addon of this platform and asks for a page: node scripts/try-addon.mjs <app>. For platforms on
// which the whole test suite does not run.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const next = createRequire(import.meta.url)('../index.js')
const app = next({ dev: false, dir: process.argv[2] })
await app.prepare()
const handle = app.getRequestHandler()
const server = createServer((req, res) => handle(req, res)).listen(0)
await once(server, 'listening')
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
const page = await fetch(`http://localhost:${port}/`)
assert.equal(page.status, 200)
assert.match(await page.text(), /<html/)
assert.equal((await fetch(`http://localhost:${port}/nothing-here`)).status, 404)
server.close()
server.closeAllConnections()
await app.close()
console.log(`${process.platform} ${process.arch}: serves`)
