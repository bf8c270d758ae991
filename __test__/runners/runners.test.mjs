// The tests of examples/testing, as a user's Jest and Vitest run them: they pass, and the runner ends by itself.

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prepareExample } from '../support/example.mjs'

/** @type {{ dir: string, remove: () => void }} */
let example

beforeAll(async () => {
  example = await prepareExample('ferronext', 'testing')
})

afterAll(() => example?.remove())

/** The packages lie two folders up, beside the build. @param {string} file */
const tool = file => path.join(example.dir, '../../node_modules', file)

/**
 * Runs a script to its own end; nothing but a long silence kills it.
 * @param {string[]} args
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run(...args) {
  return new Promise((resolve, reject) => {
    /** @type {NodeJS.ProcessEnv} */
    const env = { ...process.env, NO_COLOR: '1', CI: '1' }
    for (const name of Object.keys(env)) {
      if (/^(VITEST|NODE_ENV$|NODE_OPTIONS|FORCE_COLOR|TEST$|DEV$|PROD$|MODE$|SSR$|BASE_URL$)/.test(name))
        delete env[name]
    }
    const child = spawn(process.execPath, args, {
      cwd: example.dir,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 90_000,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, output: signal ? `${output}\nended by ${signal}` : output }))
  })
}

describe('Jest', () => {
  it.each([
    ['one after the other in one process', ['--runInBand', '--detectOpenHandles']],
    ['in worker processes', ['--maxWorkers=2']],
    ['in worker threads', ['--maxWorkers=2', '--workerThreads']],
  ])('passes %s, and ends', async (_how, flags) => {
    const { code, output } = await run(tool('jest/bin/jest.js'), ...flags)
    expect(output).toMatch(/Tests: +10 passed, 10 total/)
    expect(output).not.toMatch(/open handle|did not exit|failed to exit|force exited/)
    expect(code).toBe(0)
  })
})

describe('Vitest', () => {
  it.each(['forks', 'threads'])('passes in its pool of %s, and ends', async pool => {
    const { code, output } = await run(tool('vitest/vitest.mjs'), 'run', `--pool=${pool}`)
    expect(output).toMatch(/Tests +10 passed \(10\)/)
    expect(output).not.toMatch(/close timed out|hanging/i)
    expect(code).toBe(0)
  })
})

describe('a process that loads ferronext again and again', () => {
  it('serves from many worker threads at once, and ends', async () => {
    writeFileSync(
      path.join(example.dir, 'threads.cjs'),
      `const { Worker, isMainThread } = require('node:worker_threads')
const { createApp } = require('./server.cjs')
const ask = async () => {
  const { server, close } = await createApp()
  await new Promise(resolve => server.listen(0, resolve))
  const text = await (await fetch('http://localhost:' + server.address().port + '/time')).text()
  await close()
  if (!text.includes('For')) throw new Error(text)
}
if (!isMainThread) ask()
else {
  const rounds = Array.from({ length: 3 }, () => () => Promise.all(Array.from({ length: 4 }, () => new Promise((resolve, reject) => {
    new Worker(__filename).on('error', reject).on('exit', code => (code === 0 ? resolve() : reject(new Error('exit ' + code))))
  }))))
  rounds.reduce((before, round) => before.then(round), ask()).then(ask).then(() => console.log('all through'))
}
`,
    )
    const { code, output } = await run('threads.cjs')
    expect(output).toContain('all through')
    expect(code).toBe(0)
  })

  // The thread that loaded it first has ended, and the system gives its place to a new one.
  it('serves from one worker thread after another, never from the main one', async () => {
    writeFileSync(
      path.join(example.dir, 'turns.cjs'),
      `const { Worker, isMainThread } = require('node:worker_threads')
if (isMainThread) {
  const turn = () => new Promise((resolve, reject) => {
    new Worker(__filename).on('error', reject).on('exit', code => (code === 0 ? resolve() : reject(new Error('exit ' + code))))
  })
  Array.from({ length: 8 }).reduce(before => before.then(turn), Promise.resolve()).then(() => console.log('all through'))
} else {
  const { createApp } = require('./server.cjs')
  createApp().then(async ({ server, close }) => {
    await new Promise(resolve => server.listen(0, resolve))
    for (const page of ['/', '/time', '/legacy']) {
      const { status } = await fetch('http://localhost:' + server.address().port + page)
      if (status !== 200) throw new Error(page + ' ' + status)
    }
    await close()
  })
}
`,
    )
    const { code, output } = await run('turns.cjs')
    expect(output).toContain('all through')
    expect(code).toBe(0)
  })

  it('keeps no process alive by an app that was prepared and never closed', async () => {
    writeFileSync(
      path.join(example.dir, 'forgotten.cjs'),
      `require('ferronext')({ dev: false, dir: __dirname }).prepare().then(() => console.log('prepared'))`,
    )
    expect(await run('forgotten.cjs')).toEqual({ code: 0, output: expect.stringContaining('prepared') })
  })
})
