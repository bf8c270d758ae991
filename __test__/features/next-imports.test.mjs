// A server file that imports from `next/*` itself, before or after `next`: modules of `next` look for AsyncLocalStorage while they are loaded.

import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { removeApp } from '../support/build.mjs'
import { cleanEnvironment, freePort, startCommand } from '../support/command.mjs'
import { sendRaw } from '../support/raw.mjs'
import { runCommand } from '../support/run-command.mjs'
import { appWithTools } from '../support/tools.mjs'
import { until } from '../support/until.mjs'

const source = fileURLToPath(new URL('../fixtures/operated', import.meta.url))

/** What it imports. `next` has no `exports`, so that ES modules name the file. */
const IMPORTED = {
  navigation: 'notFound',
  headers: 'cookies',
  server: 'NextResponse',
  cache: 'revalidateTag',
}

/** @typedef {'before' | 'after'} Order */

/** @param {Order} order @param {string[]} others @param {string} own */
const inOrder = (order, others, own) => (order === 'before' ? [...others, own] : [own, ...others]).join('\n')

const REST = `
const app = next({ dev: false })
app.prepare().then(() => {
  const handle = app.getRequestHandler()
  createServer((req, res) => handle(req, res)).listen(process.env.PORT, () => {
    console.log('listening', [${Object.values(IMPORTED).map(name => `typeof ${name}`)}].join())
  })
})
`

/** @param {string} id @param {Order} order @param {string} ending of file names */
function esm(id, order, ending) {
  const others = Object.entries(IMPORTED).map(([file, name]) => `import { ${name} } from 'next/${file}${ending}'`)
  return `${inOrder(order, others, `import next from '${id}'`)}\nimport { createServer } from 'node:http'\n${REST}`
}

/** @param {string} id @param {Order} order */
function commonJs(id, order) {
  const others = Object.entries(IMPORTED).map(([file, name]) => `const { ${name} } = require('next/${file}')`)
  return `${inOrder(order, others, `const next = require('${id}')`)}\nconst { createServer } = require('node:http')\n${REST}`
}

const REGISTER = ['--import', 'ferronext/register']

/** What, arguments of Node. @type {[string, string[]][]} */
const WAYS = [
  ['CommonJS', [...REGISTER, 'next.cjs']],
  ['CommonJS, ferronext by name', ['ferronext.cjs']],
  ['ESM', [...REGISTER, 'next.mjs']],
  ['ESM, ferronext by name', ['ferronext.mjs']],
  ['tsx', ['--import', 'tsx', ...REGISTER, 'next.ts']],
  ['tsx, ferronext by name', ['--import', 'tsx', 'ferronext.ts']],
  ['tsx, ESM, ferronext by name', ['--import', 'tsx', 'esm/ferronext.ts']],
  ['bundled, CommonJS', [...REGISTER, 'bundled-next.cjs']],
  ['bundled, CommonJS, ferronext by name', ['bundled-ferronext.cjs']],
  ['bundled, ESM, ferronext by name', ['bundled-ferronext.mjs']],
  ['bundled with next/*, CommonJS, ferronext by name', ['whole.cjs']],
  ['ferronext start, TypeScript', ['FERRONEXT', 'start', 'next.ts', '--typescript', 'tsx']],
  ['ferronext start, CommonJS', ['FERRONEXT', 'start', 'next.cjs']],
]

describe.each(/** @type {const} */ (['before', 'after']))('next/* imported %s next', order => {
  /** @type {string} */
  let app
  /** @type {string} */
  let ferronext
  /** @type {import('../support/command.mjs').Running | undefined} */
  let running

  beforeAll(async () => {
    // tsx brings esbuild.
    const made = await appWithTools({ source, name: `imports-${order}`, tools: ['tsx', 'esbuild'] })
    ;({ app, ferronext } = made)
    const { write } = made
    for (const id of ['next', 'ferronext']) {
      write(`${id}.cjs`, commonJs(id, order))
      write(`${id}.mjs`, esm(id, order, '.js'))
      write(`${id}.ts`, esm(id, order, ''))
      write(`esm/${id}.ts`, esm(id, order, '.js'))
    }
    const esbuild = (/** @type {string[]} */ ...args) =>
      runCommand(process.execPath, ['node_modules/esbuild/bin/esbuild', '--platform=node', '--bundle', ...args], {
        cwd: app,
      })
    await esbuild('next.ts', '--packages=external', '--outfile=bundled-next.cjs')
    await esbuild('ferronext.ts', '--packages=external', '--outfile=bundled-ferronext.cjs')
    await esbuild('ferronext.mjs', '--packages=external', '--format=esm', '--outfile=bundled-ferronext.mjs')
    await esbuild(
      'ferronext.ts',
      '--external:ferronext',
      '--external:next/dist/compiled/*',
      '--external:@opentelemetry/api',
      '--outfile=whole.cjs',
    )
  })

  afterEach(async () => {
    await running?.stop()
    running = undefined
  })

  afterAll(() => removeApp(app))

  it.each(WAYS)('%s', async (_, args) => {
    const port = await freePort()
    running = startCommand(
      process.execPath,
      args.map(arg => (arg === 'FERRONEXT' ? ferronext : arg)),
      { cwd: app, env: { ...cleanEnvironment(), NODE_ENV: 'production', PORT: String(port) } },
    )
    const { output, printed, signal } = running
    expect(await printed(/listening function,function,function,function/, 0, 20_000), output()).toBe(true)
    const ask = async (/** @type {string} */ target) => {
      const { status, decoded } = await sendRaw({ port, target })
      return `${status} ${decoded}`
    }
    expect(await ask('/dynamic/a')).toMatch(/^200 .*Dynamic/s)
    expect(await ask('/handler')).toMatch(/^200 /)
    expect(await ask('/ssr')).toMatch(/^200 /)
    expect(await ask('/missing')).toMatch(/^404 /)
    // A stale page is rendered by a request of nobody's.
    const first = await ask('/later')
    await until(async () => (await ask('/later')) !== first)
    signal('SIGTERM')
    expect(String(await running.ended)).toMatch(/^(SIGTERM|143)$/)
    expect(output()).not.toMatch(/AsyncLocalStorage|⨯|Error/)
  })
})
