// `ferronext dev`: the app itself or a server file, started again when a file changes that the server has loaded, and only then.

import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cleanEnvironment, freePort, startCommand } from '../support/command.mjs'
import { developedApp } from '../support/dev-app.mjs'
import { installTools } from '../support/tools.mjs'

const PATIENCE = 60_000

/** @type {Awaited<ReturnType<typeof developedApp>>} */
let app
/** @type {import('../support/command.mjs').Running | undefined} */
let running

beforeAll(async () => {
  app = await developedApp('dev-command')
  await installTools(app.dir, ['tsx'])
})

afterEach(async () => {
  await running?.stop()
  running = undefined
})

afterAll(() => app?.remove())

/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
function dev(args, env) {
  running = startCommand(process.execPath, [app.command, 'dev', ...args], {
    cwd: app.dir,
    env: { ...cleanEnvironment(), ...env },
  })
  return running
}

/** @param {number} port @param {string} [path] */
const text = async (port, path = '/') => (await fetch(`http://localhost:${port}${path}`)).text()

/** Started only once for the most that can be asked of it: compiling takes most of the time. */
describe('ferronext dev without a server file', () => {
  it('serves the app, keeps running when a page is edited and restarts when next.config is', async () => {
    const port = await freePort()
    const run = dev(['-p', String(port)])
    const started = new RegExp(`ferronext [\\d.]+ serves ${app.dir} at http://localhost:${port} \\(in development\\)`)
    expect(await run.printed(started, 0, PATIENCE), run.output()).toBe(true)
    expect(await text(port)).toContain('First title')

    app.edit('app/page.jsx', 'First title', 'Second title')
    await expect.poll(() => text(port), { timeout: PATIENCE }).toContain('Second title')
    expect(run.output()).not.toContain('Restarting the server')

    const from = run.output().length
    app.edit('next.config.mjs', 'poweredByHeader: false', 'poweredByHeader: true')
    expect(await run.printed(/next\.config\.mjs has changed\. Restarting the server\./, from, PATIENCE)).toBe(true)
    expect(await run.printed(started, from, PATIENCE), run.output()).toBe(true)
    const { headers } = await fetch(`http://localhost:${port}/`)
    expect(headers.get('x-powered-by')).toBe('Next.js')

    run.signal('SIGINT')
    expect(await run.ended).toBe(0)
    await expect(text(port)).rejects.toThrow()
    expect(run.output().match(/has changed/g)).toHaveLength(1)
    expect(run.output()).not.toContain('Not everything was through')
  })

  it('a port that was asked for and is taken ends the command', async () => {
    const other = createServer()
    await new Promise(resolve => other.listen(0, () => resolve(undefined)))
    const { port } = /** @type {import('node:net').AddressInfo} */ (other.address())
    const refused = dev(['--port', String(port)])
    expect(await refused.ended).toBe(1)
    expect(refused.output()).toMatch(/^FERRONEXT_PORT_TAKEN: Port \d+ is already in use\./)
    expect(refused.output().trim().split('\n')).toHaveLength(1)
    other.close()
  })
})

describe('ferronext dev with a server file', () => {
  it('restarts when the server or what it imports changes, waits when it is broken, and takes its arguments', async () => {
    const port = await freePort()
    app.write('greeting.ts', "export const greeting: string = 'hello'\n")
    app.write(
      'server.mts',
      `import { createServer } from 'node:http'
import next from 'next'
import { greeting } from './greeting.ts'

enum Header { Name = 'x-greeting' }
const app = next({ dev: process.env.NODE_ENV !== 'production' })
const handle = app.getRequestHandler()
await app.prepare()
createServer((req, res) => {
  res.setHeader(Header.Name, greeting + ' ' + process.argv.slice(2).join())
  if (req.url === '/pid') return void res.end(String(process.pid))
  handle(req, res)
}).listen(process.env.PORT, () => console.log('listening'))
`,
    )
    const run = dev(['server.mts', '--typescript', 'tsx', '-p', String(port), '--', 'one', '--two'])
    expect(await run.printed(/listening/, 0, PATIENCE), run.output()).toBe(true)
    const greeting = async () => (await fetch(`http://localhost:${port}/note.txt`)).headers.get('x-greeting')
    expect(await greeting()).toBe('hello one,--two')
    expect(await text(port)).toContain('title')
    const pid = await text(port, '/pid')

    app.edit('app/counter.jsx', 'Clicked', 'Pressed')
    await expect.poll(() => text(port), { timeout: PATIENCE }).toContain('Pressed')
    expect(await text(port, '/pid')).toBe(pid)

    let from = run.output().length
    app.edit('greeting.ts', 'hello', 'good day')
    expect(
      await run.printed(/greeting\.ts has changed\. Restarting the server\.\n[\s\S]*listening/, from, PATIENCE),
    ).toBe(true)
    expect(await greeting()).toBe('good day one,--two')

    from = run.output().length
    app.edit('greeting.ts', 'export const', 'export konst')
    expect(await run.printed(/The server has ended\. It restarts when a file changes\./, from, PATIENCE)).toBe(true)
    app.edit('greeting.ts', 'export konst', 'export const')
    expect(await run.printed(/listening/, from, PATIENCE), run.output()).toBe(true)
    expect(await greeting()).toBe('good day one,--two')

    const child = Number(await text(port, '/pid'))
    run.signal('SIGKILL')
    await run.ended
    // A parent that was killed leaves no server behind.
    await expect.poll(() => isAlive(child), { timeout: 5000 }).toBe(false)
  })
})

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
