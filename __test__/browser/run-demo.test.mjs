// `npm run demo` as a user runs it: in a clone in which nothing is installed. Only the addon is given: `npm test` has compiled it by the
// demo's own command. Takes minutes, therefore only on request.

import { spawn } from 'node:child_process'
import { cpSync, existsSync, rmSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../support/run-command.mjs'
import { localTarball, testRoot } from '../support/workspace.mjs'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const MINUTES = 60_000

describe.runIf(process.env.FERRONEXT_TEST_DEMO === '1')('npm run demo', () => {
  const clone = path.join(testRoot(), `demo-clone-${process.pid}`)
  /** @type {Demo | undefined} */
  let demo
  /** @type {string} */
  let tarball

  beforeAll(async () => {
    tarball = await localTarball()
    rmSync(clone, { recursive: true, force: true })
    // What a commit of the present state would hold: tracked and new files, without the ignored ones.
    const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
    const { stdout } = await runCommand('git', list, { cwd: repository })
    for (const file of stdout.split('\0')) {
      // A file that was deleted, but not yet from the index, is not there to copy.
      if (file && existsSync(path.join(repository, file))) cpSync(path.join(repository, file), path.join(clone, file))
    }
    await runCommand('git', ['init', '--quiet'], { cwd: clone })
    await runCommand('git', ['add', '--all'], { cwd: clone })
  })

  afterAll(async () => {
    await demo?.end('SIGKILL')
    rmSync(clone, { recursive: true, force: true })
  })

  test('answers all kinds of page and ends cleanly', { timeout: 20 * MINUTES }, async () => {
    demo = startDemo(clone, await freePort(), tarball)
    await demo.ready()
    const { origin } = demo
    for (const [target, expected] of PAGES) {
      const response = await fetch(`${origin}${target}`)
      expect([target, response.status]).toEqual([target, expected.status ?? 200])
      expect(await response.text(), target).toContain(expected.text)
    }
    // An npm that runs the script gets the signal alone; a terminal would send it to all.
    expect(await demo.end('SIGINT'), demo.output()).toBe(0)
    await expect(fetch(origin)).rejects.toThrow()
    const { stdout } = await runCommand('git', ['status', '--porcelain'], { cwd: clone })
    const changed = stdout.split('\n').filter(line => line && !/^A {2}/.test(line))
    expect(changed, 'the demo must not change tracked files').toEqual([])
  })

  test('is quick the second time, and says so when the port is taken', { timeout: 5 * MINUTES }, async () => {
    const port = await freePort()
    demo = startDemo(clone, port, tarball)
    await demo.ready()
    expect(demo.output()).toMatch(/Install .*: up to date/)
    expect(demo.output()).toMatch(/Build the example: up to date/)
    const second = startDemo(clone, port, tarball)
    expect(await second.ended).not.toBe(0)
    expect(second.output()).toContain(`Port ${port} is already taken`)
    expect(await demo.end('SIGTERM'), demo.output()).toBe(0)
    await expect(fetch(demo.origin)).rejects.toThrow()
  })
})

/** @type {[string, { status?: number, text: string }][]} */
const PAGES = [
  ['/', { text: 'A custom server' }],
  ['/revalidated', { text: 'Revalidated</h1>' }],
  ['/dynamic?name=Ferris', { text: 'data-testid="name">Ferris<' }],
  ['/posts/first', { text: 'Post: ' }],
  ['/posts/other', { text: 'Post: ' }],
  ['/legacy', { text: 'Legacy</h1>' }],
  ['/about', { text: 'About</h1>' }],
  ['/api/hello?name=Ferris', { text: '{"hello":"Ferris"}' }],
  ['/api/time', { text: '"method":"GET"' }],
  ['/robots.txt', { text: 'Allow: /' }],
  ['/nothing', { status: 404, text: 'Nothing here' }],
]

/**
 * @typedef {object} Demo
 * @property {string} origin
 * @property {() => string} output
 * @property {Promise<number | null>} ended
 * @property {() => Promise<void>} ready
 * @property {(signal: NodeJS.Signals) => Promise<number | null>} end the exit code
 */

/** @param {string} dir @param {number} port @param {string} tarball @returns {Demo} */
function startDemo(dir, port, tarball) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, PORT: String(port) }
  env.FERRONEXT_TARBALL = tarball
  for (const name of Object.keys(env)) if (/^(NODE_ENV|NODE_OPTIONS|VITEST|npm_)/.test(name)) delete env[name]
  const child = spawn('npm', ['run', 'demo'], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  /** @type {Promise<number | null>} */
  const ended = new Promise(resolve => child.once('close', resolve))
  return {
    origin: `http://localhost:${port}`,
    output: () => output,
    ended,
    async ready() {
      while (!output.includes(`http://localhost:${port}\n`)) {
        if (child.exitCode !== null) throw new Error(`npm run demo ended with ${child.exitCode}:\n${output}`)
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    },
    end(signal) {
      child.kill(signal)
      return ended
    },
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, () => {
      const { port } = /** @type {net.AddressInfo} */ (probe.address())
      probe.close(() => resolve(port))
    })
  })
}
