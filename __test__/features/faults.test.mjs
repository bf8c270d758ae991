// Faults that a user can cause before the first request: one clear message with a stable code, and nothing is lost.

import { once } from 'node:events'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

const source = fileURLToPath(new URL('../fixtures/faults', import.meta.url))

/** @type {any} */
let next
/** @type {string} */
let built
/** @type {string} */
let app

beforeAll(async () => {
  const { dir } = await ensureWorkspace({ line: '16.4' })
  await installFerronext(dir)
  next = createRequire(path.join(dir, 'package.json'))('ferronext')
  built = (await buildFixture({ line: '16.4', source })).dir
})

beforeEach(async () => {
  if (app) await removeApp(app)
  app = await copyApp(built, `faults-${Math.trunc(performance.now())}`)
})

afterAll(() => removeApp(app))

const prepare = (/** @type {string} */ dir = app) => next({ dir, quiet: true }).prepare()

describe('prepare()', () => {
  it('is idempotent', async () => {
    const server = next({ dir: app, quiet: true })
    await server.prepare()
    await server.prepare()
    await server.close()
  })

  it('rejects without a build and succeeds once there is one', async () => {
    const server = next({ dir: app, quiet: true })
    const buildId = path.join(app, '.next/BUILD_ID')
    const id = readFileSync(buildId)
    rmSync(buildId)
    await expect(server.prepare()).rejects.toMatchObject({
      code: 'FERRONEXT_NO_BUILD',
      message: expect.stringContaining("Could not find a production build in the '.next' directory"),
    })
    writeFileSync(buildId, id)
    await server.prepare()
  })

  it('names a project folder that does not exist', async () => {
    await expect(prepare(path.join(app, 'nowhere'))).rejects.toMatchObject({
      code: 'FERRONEXT_WRONG_DIR',
      message: expect.stringContaining('nowhere'),
    })
  })

  it('refuses an export build', async () => {
    writeFileSync(path.join(app, 'next.config.mjs'), "export default { output: 'export' }\n")
    await expect(prepare()).rejects.toMatchObject({ code: 'FERRONEXT_EXPORT_OUTPUT' })
  })

  it('serves nothing past middleware whose bundle is missing', async () => {
    const manifest = path.join(app, '.next/server/middleware-manifest.json')
    writeFileSync(
      manifest,
      JSON.stringify({
        version: 3,
        middleware: {
          '/': {
            files: ['server/middleware.js'],
            name: 'middleware',
            env: {},
            page: '/',
            matchers: [{ regexp: '.*', originalSource: '/:path*' }],
          },
        },
        functions: {},
        sortedMiddleware: ['/'],
      }),
    )
    const server = next({ dir: app, quiet: true })
    await server.prepare()
    const http = createServer(server.getRequestHandler()).listen(0)
    await once(http, 'listening')
    const { port } = /** @type {import('node:net').AddressInfo} */ (http.address())
    const { status } = await fetch(`http://127.0.0.1:${port}/`)
    http.close()
    expect(status).toBe(404)
  })

  it.each([
    ['routes-manifest.json', ''],
    ['routes-manifest.json', '{"version":3'],
    ['prerender-manifest.json', '{"version":4,"routes":[]}'],
    ['server/pages-manifest.json', '[]'],
  ])('names %s when it holds %j', async (file, content) => {
    writeFileSync(path.join(app, '.next', file), content)
    await expect(prepare()).rejects.toMatchObject({
      code: 'FERRONEXT_CORRUPT_MANIFEST',
      message: expect.stringContaining(path.basename(file)),
    })
  })

  it('names the field that does not fit', async () => {
    const file = path.join(app, '.next/routes-manifest.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    manifest.headers = [{ source: 5 }]
    writeFileSync(file, JSON.stringify(manifest))
    await expect(prepare()).rejects.toMatchObject({
      code: 'FERRONEXT_CORRUPT_MANIFEST',
      message: expect.stringMatching(/headers.*0/),
    })
  })

  // The superuser reads everything, so this fault cannot be made for it.
  it.skipIf(process.getuid?.() === 0)('names a file that it may not read', async () => {
    const file = path.join(app, '.next/routes-manifest.json')
    chmodSync(file, 0)
    await expect(prepare()).rejects.toMatchObject({ code: 'FERRONEXT_UNREADABLE' })
  })

  it('names a folder where a file should be', async () => {
    const file = path.join(app, '.next/BUILD_ID')
    rmSync(file)
    const { mkdirSync } = await import('node:fs')
    mkdirSync(file)
    await expect(prepare()).rejects.toMatchObject({
      code: 'FERRONEXT_UNREADABLE',
      message: expect.stringContaining('BUILD_ID'),
    })
  })
})
