// A version of `next` that no test has seen: it is served, and everybody is told; what its compiled entries ask for and nobody knows of is
// found out by prepare(), before a client does; and the fast paths that it switches off have a name.

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PATHS } from '../../runtime/entry/fast/metrics.js'
import { buildFixture, copyApp, hashFolder, removeApp } from '../support/build.mjs'
import { cleanEnvironment, freePort, startCommand } from '../support/command.mjs'
import { giveNext } from '../support/other-next.mjs'
import { sendRaw } from '../support/raw.mjs'
import { ensureWorkspace, installFerronext, LINES, NEWEST } from '../support/workspace.mjs'

const fixture = (/** @type {string} */ name) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

/** The fast paths, by label and in plain words. */
const PATH_NAMES = Object.entries(PATHS).map(([path, { name }]) => /** @type {const} */ ([path, name]))

const UNKNOWN = '16.4.99'

/** What version 16.2 did to a ferronext that knew 16.1: a render asks for a key of request meta that nobody sets. */
const DEMANDED = (/** @type {string} */ runtime) => ({
  [`compiled/next-server/${runtime}.js`]: `
;{
  const Module = module.exports.AppPageRouteModule ?? module.exports.PagesRouteModule
  const { render } = Module.prototype
  Module.prototype.render = function (req, ...rest) {
    const meta = (req.originalRequest ?? req)[Symbol.for('NextInternalRequestMeta')]
    if (!meta.requestSerial) {
      throw Object.assign(new Error('Invariant: requestSerial must be set in request metadata. This is a bug in Next.js.'), { name: 'InvariantError' })
    }
    return render.call(this, req, ...rest)
  }
}
`,
})

/** The same with a value that is an object: nothing is there to read it from. */
const USED = {
  'compiled/next-server/app-page-turbo.runtime.prod.js': `
;{
  const { render } = module.exports.AppPageRouteModule.prototype
  module.exports.AppPageRouteModule.prototype.render = function (req, ...rest) {
    void (req.originalRequest ?? req)[Symbol.for('NextInternalRequestMeta')].requestSerial.digits
    return render.call(this, req, ...rest)
  }
}
`,
}

/** The same key, set on the way that a fast path leaves out. */
const SET_BY_TRACING = `
;{
  const { traceRequest } = module.exports.AppPageRouteModule.prototype
  module.exports.AppPageRouteModule.prototype.traceRequest = function (req, ...rest) {
    req[Symbol.for('NextInternalRequestMeta')].requestSerial = 1
    return traceRequest.call(this, req, ...rest)
  }
}
`

/** The same key, set by the preparation that fast paths do once. */
const SET_BY_PREPARING = `
;{
  const { prepare } = module.exports.AppPageRouteModule.prototype
  module.exports.AppPageRouteModule.prototype.prepare = function (req, ...rest) {
    req[Symbol.for('NextInternalRequestMeta')].requestSerial = 1
    return prepare.call(this, req, ...rest)
  }
}
`

const APP_PAGES = 'app-page-turbo.runtime.prod'
const PAGES = 'pages-turbo.runtime.prod'

beforeAll(async () => {
  for (const line of [NEWEST, '15.5']) await buildFixture({ line, source: fixture('failing') })
})

/** @type {(() => Promise<unknown>)[]} */
const cleanUps = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/**
 * @param {string} name
 * @param {{ line?: string, version?: string, appended?: Record<string, string> }} [next]
 */
async function appWith(name, { line = NEWEST, version, appended } = {}) {
  const { dir } = await ensureWorkspace({ line })
  await installFerronext(dir)
  const app = await copyApp((await buildFixture({ line, source: fixture(name) })).dir, 'unknown')
  cleanUps.push(() => removeApp(app))
  if (version) await giveNext(app, { line, version, appended })
  return { app, command: path.join(dir, 'node_modules/ferronext/bin/ferronext.js') }
}

/**
 * `ferronext start`, up to its start line or its end.
 * @param {{ app: string, command: string }} where
 * @param {NodeJS.ProcessEnv} [env]
 */
async function start({ app, command }, env = {}) {
  const port = await freePort()
  const args = [command, 'start', '-p', String(port), '--metrics', '/metrics']
  const run = startCommand(process.execPath, args, { cwd: app, env: { ...cleanEnvironment(), ...env } })
  cleanUps.push(() => run.stop())
  const serves = await run.printed(/^ferronext [\d.]+.* serves .* at /m, 0, 30_000)
  const get = (/** @type {string} */ target) => sendRaw({ port, target })
  /** What the metric says of fast paths: `path state reason`, and of how many entries. */
  const fastPaths = async () => {
    const lines = (await get('/metrics')).decoded.toString().matchAll(/^ferronext_fast_paths\{(.*)\} (\d+)$/gm)
    const counts = [...lines].map(([, labels = '', count]) => {
      const { path, state, reason } = Object.fromEntries(
        [...labels.matchAll(/(\w+)="(\w*)"/g)].map(([, k, v]) => [k, v]),
      )
      return /** @type {const} */ ([`${path} ${state} ${reason}`.trim(), Number(count)])
    })
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }
  return { serves, get, fastPaths, output: run.output, printed: run.printed, ended: run.ended }
}

/** @param {{ app: string, command: string }} where */
function info({ app, command }) {
  const { status, stdout } = spawnSync(process.execPath, [command, 'info', app], { encoding: 'utf8' })
  return { status, stdout }
}

describe('a version that is not tested, and calls for nothing new', () => {
  it('is served; info, the start line and DEBUG say so', async () => {
    const where = await appWith('mixed', { version: UNKNOWN })
    const told = `not yet tested with next ${UNKNOWN}; last tested ${LINES[NEWEST]}`
    expect(info(where)).toMatchObject({ status: 0, stdout: expect.stringContaining(`next: ${UNKNOWN}, ${told}\n`) })
    const { get, output, printed, fastPaths } = await start(where, { DEBUG: 'ferronext:start' })
    expect(output()).toMatch(new RegExp(`^ferronext [\\d.]+ \\(${told}\\) serves `, 'm'))
    expect(await printed(new RegExp(`next ${UNKNOWN}: .* is served, read in \\d+ ms; ${told}`)), output()).toBe(true)
    expect(output()).not.toContain('FERRONEXT_')
    for (const target of ['/', '/both/x', '/ssr']) expect((await get(target)).status, target).toBe(200)
    // An error page of each router was asked, and taught the fast paths.
    expect(await fastPaths()).toMatchObject({ 'prepare on': expect.any(Number), 'react on': expect.any(Number) })
  })

  it.each([NEWEST, '15.5'])('leaves nothing in the build of what it asks: %s', async line => {
    const where = await appWith('failing', { line, version: `${line}.99` })
    const build = path.join(where.app, '.next')
    const before = hashFolder(build, new Set())
    const { serves, get } = await start(where)
    expect(serves).toBe(true)
    expect(hashFolder(build, new Set())).toBe(before)
    expect((await get('/nowhere')).status).toBe(404)
  })

  it('asks nothing of a version that is tested', async () => {
    const { output, fastPaths } = await start(await appWith('mixed'), { DEBUG: 'ferronext:*' })
    expect(output()).not.toContain('not yet tested')
    expect(await fastPaths()).toEqual({})
  })
})

describe('a version whose entries call for something unknown', () => {
  it.each([
    ['an app page', 'mixed', APP_PAGES, NEWEST],
    ['an app page of cacheComponents', 'cache-components', APP_PAGES, NEWEST],
    ['an app page of 15.5, which has no global error page', 'failing', 'app-page.runtime.prod', '15.5'],
    ['a page', 'pages-plain', PAGES, NEWEST],
  ])('%s: prepare() rejects with one message', async (_, name, runtime, line) => {
    const version = `${line}.99`
    const where = await appWith(name, { line, version, appended: DEMANDED(runtime) })
    const { serves, output, ended } = await start(where)
    expect(serves, output()).toBe(false)
    expect(await ended).toBe(1)
    expect(output().match(/FERRONEXT_\w+/g)).toEqual(['FERRONEXT_INCOMPATIBLE_NEXT', 'FERRONEXT_CHECK_NEXT'])
    expect(output()).toContain(`next ${version}`)
    expect(output()).toContain('requestSerial must be set in request metadata')
    expect(output()).toContain(`next@${LINES[line]}`)
  })

  it('an app page that finds nothing where it looks: prepare() rejects with one message', async () => {
    const { serves, output } = await start(await appWith('mixed', { version: UNKNOWN, appended: USED }))
    expect(serves).toBe(false)
    expect(output()).toMatch(/^FERRONEXT_INCOMPATIBLE_NEXT: .*TypeError: Cannot read properties of undefined/)
  })

  it('is served all the same by an operator who wants it', async () => {
    const where = await appWith('mixed', { version: UNKNOWN, appended: DEMANDED(APP_PAGES) })
    const { serves, get } = await start(where, { FERRONEXT_CHECK_NEXT: '0' })
    expect(serves).toBe(true)
    expect([(await get('/ssr')).status, (await get('/both/x')).status]).toEqual([200, 500])
  })

  it('is served without fast paths when those alone are in the way', async () => {
    const [[file, code]] = Object.entries(DEMANDED(APP_PAGES))
    const where = await appWith('mixed', { version: UNKNOWN, appended: { [file]: code + SET_BY_TRACING } })
    const { get, output, fastPaths } = await start(where)
    expect(output().match(/^.*FERRONEXT_.*$/gm)).toEqual([
      expect.stringMatching(/^⚠ FERRONEXT_FAST_PATHS_OFF: next 16\.4\.99 .*requestSerial must be set/),
    ])
    for (const target of ['/both/x', '/both/x', '/ssr']) expect((await get(target)).status, target).toBe(200)
    const paths = await fastPaths()
    expect(Object.keys(paths).filter(path => path.includes(' on'))).toEqual([])
    expect(paths).toMatchObject({ 'prepare off version': 4, 'react off version': 2 })
  })

  it('keeps the fast paths that it does not concern', async () => {
    const [[file, code]] = Object.entries(DEMANDED(APP_PAGES))
    const where = await appWith('mixed', { version: UNKNOWN, appended: { [file]: code + SET_BY_PREPARING } })
    const { get, output, fastPaths } = await start(where)
    expect(output()).not.toContain('FERRONEXT_')
    for (const target of ['/both/x', '/both/x']) expect((await get(target)).status).toBe(200)
    // One by itself: compared with upstream's, the preparation differs.
    expect(await fastPaths()).toMatchObject({ 'prepare off version': 2, 'prepare on': 1, 'cache on': 3 })
  })
})

describe('code of the app that fails', () => {
  it.each([NEWEST, '15.5'].flatMap(line => ['Error', 'TypeError'].map(kind => /** @type {const} */ ([line, kind]))))(
    'says nothing of next, and nobody is told: %s, %s',
    async (line, kind) => {
      const where = await appWith('failing', { line, version: `${line}.99` })
      const { serves, output, get } = await start(where, { FAIL_WITH: kind })
      expect(serves, output()).toBe(true)
      // The lines of the start alone: neither the console nor the app's `onRequestError` hears of a request that nobody has made.
      expect(output()).toMatch(/^ferronext [^\n]*\n(?:(?:- Local:|- Network:|✓ Ready in) [^\n]*\n)*$/)
      expect((await get('/steady')).decoded.toString()).toBe('steady')
      expect((await get('/ssr')).status).toBe(500)
      expect(output()).toContain('reported: ')
    },
  )
})

it('does not wait for an instrumentation that does not end', async () => {
  const where = await appWith('failing', { version: UNKNOWN })
  const begun = performance.now()
  const { serves, output } = await start(where, { INSTRUMENTATION: 'hangs', DEBUG: 'ferronext:start' })
  expect(serves).toBe(true)
  expect(performance.now() - begun).toBeGreaterThan(5000)
  expect(output()).toContain('/_global-error, asked for at start: no answer in time')
  expect(output()).not.toContain('FERRONEXT_')
})

describe('the fast paths of a version', () => {
  const lines = process.env.FERRONEXT_LINES?.split(',') ?? [NEWEST, '16.2']

  it.each(lines)('%s: info names those that the server switches off', async line => {
    const where = await appWith('seen', { line })
    const { get, fastPaths } = await start(where)
    const asked = ['/api/seen', '/api/items/7', '/route/seen', '/route/by/7', '/shown', '/page/7']
    for (let turn = 0; turn < 3; turn++) for (const target of asked) await get(target)
    for (const a of [1, 2, 3]) await get(`/documented?a=${a}`)
    const guarded = await start(await appWith('middleware-apis', { line }))
    await guarded.get('/')
    const counts = Object.keys({ ...(await fastPaths()), ...(await guarded.fastPaths()) })
    const off = PATH_NAMES.filter(([path]) => counts.includes(`${path} off version`))
    const on = PATH_NAMES.filter(([path]) => counts.includes(`${path} on`))
    expect([...on, ...off].map(([path]) => path).sort(), counts.join('; ')).toEqual(
      PATH_NAMES.map(([path]) => path).sort(),
    )
    const list = off.map(([, name]) => name).join(', ')
    expect(info(where).stdout).toContain(
      `\nfast paths: ${on.map(([, name]) => name).join(', ')}${list && `; off with this version: ${list}`}\n`,
    )
  })

  it('are all off when FERRONEXT_LEAN says so', async () => {
    const where = await appWith('seen')
    const { get, fastPaths } = await start(where, { FERRONEXT_LEAN: '0' })
    for (const target of ['/api/seen', '/route/seen', '/shown', '/page/7']) expect((await get(target)).status).toBe(200)
    expect(await fastPaths()).toEqual({
      'api_route off environment': 1,
      'cache off environment': 3,
      'document off environment': 1,
      'prepare off environment': 4,
      'react off environment': 1,
      'route_handler off environment': 1,
    })
  })
})
