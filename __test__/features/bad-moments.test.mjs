// Moments in which nothing can be opened or loaded: no descriptor is left, node_modules or the build is being replaced. Requests may fail
// then; the process stays, every request ends, and afterwards everything is as before.

import { spawnSync } from 'node:child_process'
import { readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp, runNextBuild } from '../support/build.mjs'
import { openConnection, sendRaw } from '../support/raw.mjs'
import { runCommand } from '../support/run-command.mjs'
import { startServer } from '../support/server.mjs'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

const FIXTURE = fileURLToPath(new URL('../fixtures/custom-server', import.meta.url))

/** Sets limits of a process that runs; part of util-linux. */
const HAS_PRLIMIT = spawnSync('prlimit', ['--version']).status === 0

/** The documented server, which catches nothing, and on a signal what nobody catches. */
const SERVER = `import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import next from 'next'
const app = next({ dev: false })
const handle = app.getRequestHandler()
await app.prepare()
process.on('SIGUSR2', () => {
  setTimeout(() => { throw new Error('thrown by a timer') })
  Promise.reject(new Error('rejected by nobody'))
})
createServer((req, res) => {
  if (req.url === '/__loaded') res.end(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)))
  else handle(req, res)
}).listen(process.env.PORT, () => console.log('listening'))
`

/** One of each kind, with the status that it has at other times. @type {[string, number][]} */
const ROUTES = [
  ['/', 200],
  ['/isr', 200],
  ['/dynamic', 200],
  ['/blog/new', 200],
  ['/route', 200],
  ['/server', 200],
  ['/api/echo', 200],
  ['/edge', 200],
  ['/plain', 200],
  ['/file.txt', 200],
  ['/missing', 404],
  ['/throws', 500],
  ['/server-throws', 500],
]

/** What is printed when entries have been preloaded. */
const PRELOADED = /ferronext:start \d+ entries of .* are loaded/

/** @type {string} */
let built
/** @type {import('../support/server.mjs').Server | undefined} */
let server
/** @type {string | undefined} */
let app

beforeAll(async () => {
  built = (await buildFixture({ line: '16.4', source: FIXTURE })).dir
})

afterEach(async () => {
  await server?.stop()
  server = undefined
  if (app) await removeApp(app)
  app = undefined
})

/**
 * @param {string} dir a copy of the app
 * @param {{ preloads?: boolean, engine?: import('../support/server.mjs').Engine }} [options]
 */
async function serve(dir, { preloads = false, engine = 'ferronext' } = {}) {
  writeFileSync(path.join(dir, 'quiet.mjs'), SERVER)
  writeFileSync(
    path.join(dir, 'next.config.mjs'),
    `export default { experimental: { preloadEntriesOnStart: ${preloads} } }\n`,
  )
  // Stale: it is rendered in the background by whoever asks.
  const old = new Date(Date.now() - 2 * 3600 * 1000)
  for (const ending of ['html', 'meta', 'rsc']) utimesSync(path.join(dir, `.next/server/app/isr.${ending}`), old, old)
  server = await startServer({ dir, engine, serverFile: 'quiet.mjs', env: { DEBUG: 'ferronext:start' } })
  return server
}

/** @param {number} pid @param {number} most file numbers below this can be opened; those that are open stay */
const limitDescriptors = (pid, most) => runCommand('prlimit', ['--pid', String(pid), `--nofile=${most}:`], { cwd: '/' })

/** What a process has on an ordinary system. */
const MANY = 1024

/**
 * The limit below which a process has so many free descriptors. How many it holds depends on the machine's processors and on what it has
 * preloaded.
 * @param {number} pid
 * @param {number} free
 */
function limitWith(pid, free) {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  let limit = 0
  for (let left = free; left > 0 || open.has(limit); limit++) if (!open.has(limit)) left--
  return limit
}

/** @param {number} port */
async function expectAllAsEver(port) {
  for (const [target, status] of ROUTES)
    expect([target, (await sendRaw({ port, target })).status]).toEqual([target, status])
}

/**
 * The status of an answer, or that the connection was closed; a request that is left waiting is an error. The connection stays.
 * @param {Awaited<ReturnType<typeof openConnection>>} connection
 * @param {string} target
 */
async function statusOrEnd(connection, target) {
  connection.write(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`)
  try {
    return (await connection.read()).status
  } catch (error) {
    if (/^connection ended/.test(/** @type {Error} */ (error).message)) return 'closed'
    throw error
  }
}

describe.runIf(HAS_PRLIMIT)('without a descriptor', () => {
  it.each([false, true])(
    'a server that has only sent prerendered pages goes on, with entries preloaded: %s',
    async preloads => {
      app = await copyApp(built, 'descriptors')
      const { port, pid, signal, output, printed } = await serve(app, { preloads })
      if (preloads) expect(await printed(PRELOADED, 0, 30_000), output()).toBe(true)
      const connections = []
      for (const _ of ROUTES) {
        const connection = await openConnection({ port })
        connection.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
        expect((await connection.read()).status).toBe(200)
        connections.push(connection)
      }
      await limitDescriptors(pid, limitWith(pid, 0))
      signal('SIGUSR2')
      for (const [at, [target]] of ROUTES.entries()) await statusOrEnd(/** @type {any} */ (connections[at]), target)
      expect(await printed(/EMFILE|Too many open files/), output()).toBe(true)
      expect(await printed(/uncaughtException: .*thrown by a timer/), output()).toBe(true)
      expect(await printed(/unhandledRejection: .*rejected by nobody/), output()).toBe(true)
      for (const connection of connections) connection.close()
      await limitDescriptors(pid, MANY)
      await expectAllAsEver(port)
    },
  )

  it.each([false, true])(
    '60 clients at once all get an answer or their end, with entries preloaded: %s',
    async preloads => {
      app = await copyApp(built, 'crowd')
      const { port, pid, output } = await serve(app, { preloads })
      // The page in memory is what the first client asks for, so that there is one answer that needs no descriptor but the client's.
      expect((await sendRaw({ port, target: '/' })).status).toBe(200)
      await limitDescriptors(pid, limitWith(pid, 20))
      /** @type {Set<number | string>} */
      const seen = new Set()
      for (let round = 0; round < 5; round++) {
        const clients = Array.from({ length: 60 }, async (_, at) => {
          const [target = '/'] = ROUTES[(at + round) % ROUTES.length] ?? []
          const connection = await openConnection({ port })
          seen.add(await statusOrEnd(connection, target))
          connection.close()
        })
        await Promise.all(clients)
      }
      expect(seen, output()).toContain(200)
      await limitDescriptors(pid, MANY)
      await expectAllAsEver(port)
    },
  )
})

it('a server whose node_modules is replaced goes on', async () => {
  // As `npm ci` does it: everything is gone for a while, and then there again.
  const { dir } = await ensureWorkspace({ line: '16.4' })
  await installFerronext(dir)
  app = path.join(path.dirname(dir), `replaced-${process.pid}`)
  rmSync(app, { recursive: true, force: true })
  await runCommand('cp', ['-a', built, app], { cwd: '/' })
  await runCommand('cp', ['-al', path.join(dir, 'node_modules'), app], { cwd: '/' })
  const { port, signal, printed, output } = await serve(app)
  expect((await sendRaw({ port, target: '/' })).status).toBe(200)
  const modules = path.join(app, 'node_modules')
  renameSync(modules, `${modules}.gone`)
  signal('SIGUSR2')
  for (const [target] of ROUTES)
    expect([target, (await sendRaw({ port, target })).status]).toEqual([target, expect.any(Number)])
  expect(await printed(/Cannot find module/), output()).toBe(true)
  expect(await printed(/uncaughtException: .*thrown by a timer/), output()).toBe(true)
  expect(await printed(/unhandledRejection: .*rejected by nobody/), output()).toBe(true)
  renameSync(`${modules}.gone`, modules)
  await expectAllAsEver(port)
})

/** What has no manifest of its own, so that upstream answers it from memory. */
const IN_MEMORY = ['/route', '/server', '/item/1', '/api/echo']

describe('entries that have not been requested', () => {
  const ask = async (/** @type {string[]} */ targets) => {
    const { port } = /** @type {import('../support/server.mjs').Server} */ (server)
    const answers = []
    for (const target of targets) answers.push(`${target} ${(await sendRaw({ port, target })).status}`)
    return answers
  }

  it('are loaded once the server listens, with all that they need of next', async () => {
    app = await copyApp(built, 'preload')
    const { port, output, printed } = await serve(app, { preloads: true })
    expect(output()).not.toMatch(PRELOADED)
    expect(await printed(PRELOADED, 0, 30_000), output()).toBe(true)
    const loaded = async () => JSON.parse(String((await sendRaw({ port, target: '/__loaded' })).decoded))
    const before = new Set(await loaded())
    await expectAllAsEver(port)
    const added = (await loaded()).filter((/** @type {string} */ file) => !before.has(file))
    expect(added.filter((/** @type {string} */ file) => file.includes('/node_modules/'))).toEqual([])
  })

  it.each(/** @type {const} */ (['ferronext', 'upstream']))('answer when .next/server is gone: %s', async engine => {
    app = await copyApp(built, `removed-${engine}`)
    const { printed, output } = await serve(app, { preloads: true, engine })
    if (engine === 'ferronext') expect(await printed(PRELOADED, 0, 30_000), output()).toBe(true)
    expect(await ask(['/'])).toEqual(['/ 200'])
    rmSync(path.join(app, '.next/server'), { recursive: true })
    expect(await ask(IN_MEMORY), output()).toEqual(IN_MEMORY.map(target => `${target} 200`))
    // Pages of the App Router each have a manifest that is read with their first request.
    expect(await ask(['/dynamic']), output()).toEqual(['/dynamic 500'])
  })

  // As upstream, which takes as long to say so as the build does.
  it('answer after a build in place, by the code of the build that is served', async () => {
    app = await copyApp(built, 'rebuilt')
    const { port, printed, output } = await serve(app, { preloads: true })
    expect(await printed(PRELOADED, 0, 30_000), output()).toBe(true)
    expect(await ask(['/'])).toEqual(['/ 200'])
    writeFileSync(path.join(app, 'pages/api/echo.js'), "export default (req, res) => res.send('the new build')")
    writeFileSync(path.join(app, 'app/route/route.js'), "export const GET = () => new Response('the new build')")
    await runNextBuild((await ensureWorkspace({ line: '16.4' })).dir, app)
    for (const target of IN_MEMORY) {
      const { status, decoded } = await sendRaw({ port, target })
      expect([target, status, decoded.toString()]).toEqual([target, 200, expect.not.stringContaining('the new build')])
    }
    expect(await ask(['/'])).toEqual(['/ 200'])
  })

  it.each(/** @type {const} */ (['ferronext', 'upstream']))(
    'are not loaded with preloadEntriesOnStart: false: %s',
    async engine => {
      app = await copyApp(built, `late-${engine}`)
      const { output } = await serve(app, { engine })
      expect(await ask(['/'])).toEqual(['/ 200'])
      rmSync(path.join(app, '.next/server'), { recursive: true })
      expect(await ask(IN_MEMORY), output()).toEqual(IN_MEMORY.map(target => `${target} 500`))
      expect(output()).not.toMatch(PRELOADED)
    },
  )
})
