// Any way a server file is run: both module systems, TypeScript through loaders, a compiler and Node itself, flags and
// NODE_OPTIONS, on each line of Node; watchers and process managers that restart it.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { removeApp } from '../support/build.mjs'
import { cleanEnvironment, freePort, startCommand } from '../support/command.mjs'
import { sendRaw } from '../support/raw.mjs'
import { runCommand } from '../support/run-command.mjs'
import { appWithTools, NODES_ARE_HERE, nodeBuild } from '../support/tools.mjs'

const source = fileURLToPath(new URL('../fixtures/operated', import.meta.url))

/** The documented server, in TypeScript that only a compiler understands if `enums` is set. */
const server = (/** @type {boolean} */ enums) => `import { createServer } from 'node:http'
import next from 'next'
${enums ? 'enum Port { Default = 3000 }' : 'const Port = { Default: 3000 } as const'}

const port: number = Number(process.env.PORT) || Port.Default
const app = next({ dev: false })
const handle = app.getRequestHandler()
app.prepare().then(() => {
  createServer((req, res) => handle(req, res)).listen(port, () => {
    console.log('listening with', String(next).includes('native') ? 'ferronext' : 'upstream')
  })
})
`

const COMMONJS = `const next = require('next')
const app = next({ dev: false })
app.prepare().then(() => {
  require('node:http').createServer(app.getRequestHandler()).listen(process.env.PORT, () => {
    console.log('listening with', String(next).includes('native') ? 'ferronext' : 'upstream')
  })
})
`

const REGISTER = 'ferronext/register'
const TSX_CLI = 'node_modules/tsx/dist/cli.mjs'
const TS_NODE_CLI = 'node_modules/ts-node/dist/bin.js'
const TS_NODE_ESM =
  'data:text/javascript,import{register}from"node:module";import{pathToFileURL}from"node:url";register("ts-node/esm",pathToFileURL("./"))'

/** ts-node looks for its configuration from the working folder. */
const ESM_PROJECT = { TS_NODE_PROJECT: 'esm/tsconfig.json' }

/** @type {[string, string[], NodeJS.ProcessEnv?][]} what, arguments of Node, environment */
const WAYS = [
  ['CommonJS, --import', ['--import', REGISTER, 'server.cjs']],
  ['CommonJS, -r', ['-r', REGISTER, 'server.cjs']],
  ['ESM, --import', ['--import', REGISTER, 'esm/compiled.mjs']],
  ['ESM, -r', ['-r', REGISTER, 'esm/compiled.mjs']],
  ['NODE_OPTIONS', ['server.cjs'], { NODE_OPTIONS: `--import ${REGISTER}` }],
  ['NODE_OPTIONS, ESM', ['esm/compiled.mjs'], { NODE_OPTIONS: `--import ${REGISTER}` }],
  ['registered twice', ['--import', REGISTER, 'server.cjs'], { NODE_OPTIONS: `--import ${REGISTER}` }],
  ['tsc to CommonJS', ['--import', REGISTER, 'dist/server.js']],
  ['tsx before', ['--import', 'tsx', '--import', REGISTER, 'server.ts']],
  ['tsx after', ['--import', REGISTER, '--import', 'tsx', 'server.ts']],
  ['tsx after, ESM', ['--import', REGISTER, '--import', 'tsx', 'esm/server.ts']],
  ['the tsx command', [TSX_CLI, 'server.ts'], { NODE_OPTIONS: `--import ${REGISTER}` }],
  ['the tsx command, ESM', [TSX_CLI, 'esm/server.ts'], { NODE_OPTIONS: `--import ${REGISTER}` }],
  ['ts-node before', ['-r', 'ts-node/register', '-r', REGISTER, 'server.ts']],
  ['ts-node after', ['-r', REGISTER, '-r', 'ts-node/register', 'server.ts']],
  ['the ts-node command', [TS_NODE_CLI, 'server.ts'], { NODE_OPTIONS: `-r ${REGISTER}` }],
  ['ts-node/esm before', ['--import', TS_NODE_ESM, '--import', REGISTER, 'esm/server.ts'], ESM_PROJECT],
  ['ts-node/esm after', ['--import', REGISTER, '--import', TS_NODE_ESM, 'esm/server.ts'], ESM_PROJECT],
  ['ferronext start, CommonJS', ['node_modules/.ferronext', 'start', 'server.cjs']],
  ['ferronext start, ESM', ['node_modules/.ferronext', 'start', 'esm/compiled.mjs']],
  ['ferronext start, tsx', ['node_modules/.ferronext', 'start', 'server.ts', '--typescript', 'tsx']],
  ['ferronext start, tsx, ESM', ['node_modules/.ferronext', 'start', 'esm/server.ts', '--typescript', 'tsx']],
  ['ferronext start, ts-node', ['node_modules/.ferronext', 'start', 'server.ts', '--typescript', 'ts-node']],
]

/** Node 22 and 24 have the same hooks, so that one of them goes through all ways. */
const SELECTED = WAYS.filter(([what]) =>
  ['CommonJS, --import', 'ESM, --import', 'tsx after', 'ts-node after', 'ferronext start, CommonJS'].includes(what),
)

/** Where Node strips types itself. @type {typeof WAYS} */
const STRIPPED = [
  ['type stripping', ['--import', REGISTER, 'esm/erasable.ts']],
  ['type stripping, -r', ['-r', REGISTER, 'esm/erasable.mts']],
  ['ferronext start, type stripping', ['node_modules/.ferronext', 'start', 'esm/erasable.ts']],
]

/** @type {string} */
let app
/** @type {string} */
let ferronext
/** @type {import('../support/command.mjs').Running | undefined} */
let running

beforeAll(async () => {
  const tools = ['tsx', 'ts-node', 'typescript', '@types/node', 'nodemon']
  const made = await appWithTools({ source, name: 'ways', tools })
  ;({ app, ferronext } = made)
  const { write } = made
  write('server.cjs', COMMONJS)
  write('server.ts', server(true))
  write('esm/server.ts', server(true))
  write('esm/erasable.ts', server(false))
  write('esm/erasable.mts', server(false))
  const compiler = { target: 'es2022', skipLibCheck: true, esModuleInterop: true, types: ['node'], outDir: 'dist' }
  const commonJs = { ...compiler, module: 'commonjs', moduleResolution: 'node10' }
  const tsNode = { 'ts-node': { transpileOnly: true } }
  write('tsconfig.json', JSON.stringify({ compilerOptions: commonJs, files: ['server.ts'], ...tsNode }))
  // Under `nodenext` upstream's own types have no callable default export.
  const esm = { ...compiler, module: 'esnext', moduleResolution: 'bundler', outDir: '.' }
  write('esm/tsconfig.json', JSON.stringify({ compilerOptions: esm, files: ['erasable.mts'], ...tsNode }))
  const tsc = path.join(app, 'node_modules/typescript/bin/tsc')
  await runCommand(process.execPath, [tsc], { cwd: app })
  await runCommand(process.execPath, [tsc, '-p', 'esm'], { cwd: app })
  write('esm/compiled.mjs', '// What the compiler left.\nimport "./erasable.mjs"\n')
})

afterEach(async () => {
  await running?.stop()
  running = undefined
})

afterAll(() => removeApp(app))

/**
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
async function start(node, args, env) {
  const port = await freePort()
  const [first = '', ...others] = args
  const command = first === 'node_modules/.ferronext' ? [ferronext, ...others] : args
  running = startCommand(node, command, {
    cwd: app,
    env: { ...cleanEnvironment(), NODE_ENV: 'production', PORT: String(port), ...env },
  })
  await running.printed(/listening with \w+/, 0, 30_000)
  return { port, running }
}

describe.runIf(NODES_ARE_HERE).each(/** @type {const} */ ([20, 22, 24]))('Node %i runs a server file', major => {
  /** @type {string} */
  let node
  beforeAll(async () => {
    node = await nodeBuild(major)
  })

  const ways = major === 20 ? WAYS : major === 22 ? [...SELECTED, ...STRIPPED] : [...WAYS, ...STRIPPED]
  it.each(ways)('%s', async (_, args, env) => {
    const { port, running } = await start(node, args, env)
    expect(running.output()).toContain('listening with ferronext')
    const page = await fetch(`http://localhost:${port}/`)
    expect([page.status, page.headers.get('x-nextjs-cache')]).toEqual([200, 'HIT'])
    expect(await page.text()).toContain('Static')
    expect(await (await fetch(`http://localhost:${port}/dynamic/a`)).text()).toContain('Dynamic')
    running.signal('SIGTERM')
    // The file handles no signal, so that Node's default holds; what `ferronext start` adds is for the app itself.
    expect(String(await running.ended)).toMatch(/^(SIGTERM|143)$/)
  })

  it.runIf(major === 20)('says what is missing for TypeScript', async () => {
    rmSync(path.join(app, 'bare'), { recursive: true, force: true })
    mkdirSync(path.join(app, 'bare/node_modules'), { recursive: true })
    const bare = path.join(path.dirname(app), `bare-${process.pid}.ts`)
    writeFileSync(bare, server(false))
    const run = startCommand(node, [ferronext, 'start', bare], { cwd: app, env: cleanEnvironment() })
    expect(await run.ended).toBe(1)
    rmSync(bare)
    expect(run.output()).toMatch(
      /^FERRONEXT_NO_TYPESCRIPT: Node.js 20\.[\d.]+ cannot run .*bare-\d+\.ts: .* install tsx/,
    )
    expect(run.output().trim().split('\n')).toHaveLength(1)
  })
})

describe('what restarts a server', () => {
  it('nodemon restarts it on the same port when the file changes', async () => {
    const nodemon = 'node_modules/nodemon/bin/nodemon.js'
    const file = path.join(app, 'watched.cjs')
    const write = (/** @type {string} */ mark) =>
      writeFileSync(file, COMMONJS.replace("'listening with'", `'${mark}: listening with'`))
    write('first')
    const { port, running } = await start(process.execPath, [nodemon, '--watch', 'watched.cjs', 'watched.cjs'], {
      NODE_OPTIONS: `--import ${REGISTER}`,
    })
    expect(running.output()).toContain('first: listening with ferronext')
    write('second')
    expect(await running.printed(/second: listening with ferronext/, 0, 20_000)).toBe(true)
    expect((await fetch(`http://localhost:${port}/`)).status).toBe(200)
  })

  it('a killed server leaves its port to the next one', async () => {
    const first = await start(process.execPath, ['--import', REGISTER, 'server.cjs'])
    await (await fetch(`http://localhost:${first.port}/`)).text()
    first.running.signal('SIGKILL')
    await first.running.ended
    const { running } = await start(process.execPath, ['--import', REGISTER, 'server.cjs'], {
      PORT: String(first.port),
    })
    expect(running.output()).toContain('listening with ferronext')
    expect((await fetch(`http://localhost:${first.port}/`)).status).toBe(200)
  })

  it('a cluster that is reloaded worker by worker loses no request', async () => {
    // What `pm2 reload` does: a new worker listens before an old one is disconnected.
    writeFileSync(
      path.join(app, 'cluster.mjs'),
      `import cluster from 'node:cluster'
import { once } from 'node:events'
cluster.setupPrimary({ exec: 'server.cjs', execArgv: ['--import', '${REGISTER}'] })
const fork = async () => { const worker = cluster.fork(); await once(worker, 'listening'); return worker }
const workers = [await fork(), await fork()]
process.on('SIGUSR2', async () => {
  for (const [at, old] of workers.entries()) {
    workers[at] = await fork()
    const gone = once(old, 'exit')
    old.disconnect()
    await gone
  }
  console.log('reloaded')
})
console.log('listening with a cluster')
`,
    )
    const { port, running } = await start(process.execPath, ['cluster.mjs'])
    expect(await running.printed(/a cluster/, 0, 30_000), running.output()).toBe(true)
    const statuses = new Set()
    let isReloading = true
    const clients = [1, 2, 3].map(async () => {
      while (isReloading) {
        const { status } = await sendRaw({ port, target: '/dynamic/a', headers: { Connection: 'close' } })
        statuses.add(status)
      }
    })
    running.signal('SIGUSR2')
    expect(await running.printed(/reloaded/, 0, 30_000), running.output()).toBe(true)
    isReloading = false
    await Promise.all(clients)
    expect([...statuses]).toEqual([200])
  })
})
