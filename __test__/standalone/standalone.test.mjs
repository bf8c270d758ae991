// `ferronext standalone`: the folder that it writes, moved to where there is no package and no source, and run there.

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildExample } from '../support/example.mjs'
import { runCommand } from '../support/run-command.mjs'
import { startServer } from '../support/server.mjs'
import { installFerronext } from '../support/workspace.mjs'

/** @type {string} */
let empty
/** @type {Record<string, string>} folders of the built examples, in which the traces of the build are right */
const built = {}
/** @type {import('../support/server.mjs').Server | undefined} */
let server

beforeAll(async () => {
  for (const name of ['custom-server', 'frameworks']) {
    built[name] = await buildExample(name)
    await installFerronext(built[name])
  }
  // Not below the folder of the tests, in which Node would find their packages by looking upwards.
  empty = mkdtempSync(path.join(tmpdir(), 'ferronext-standalone-'))
})

afterEach(async () => {
  await server?.stop()
  server = undefined
})

afterAll(() => rmSync(empty, { recursive: true, force: true }))

/** @param {string} dir @param {string[]} args */
function standalone(dir, ...args) {
  const bin = path.join(dir, 'node_modules/ferronext/bin/ferronext.js')
  return runCommand(process.execPath, [bin, 'standalone', ...args], { cwd: dir })
}

/** @param {string} dir */
async function start(dir) {
  // The engine's flag is upstream's: none. What makes the app ferronext's is inside.
  server = await startServer({ dir, engine: 'upstream', serverFile: 'server.js' })
  return `http://localhost:${server.port}`
}

describe('ferronext standalone', () => {
  it('makes a folder of the documented server.ts that answers every kind of page', async () => {
    const { stdout } = await standalone(built['custom-server'], 'server.ts')
    expect(stdout).toMatch(/\.next\/ferronext: \d+ files, [\d.]+ MB\. Run it with `node server\.js`\.\n$/)
    const dir = path.join(empty, 'documented')
    renameSync(path.join(built['custom-server'], '.next/ferronext'), dir)
    expect(readdirSync(dir).sort()).toEqual(['app', 'package.json', 'server.js'])
    const origin = await start(dir)
    for (const [target, status, text] of /** @type {[string, number, string][]} */ ([
      ['/', 200, 'A custom server'],
      ['/revalidated', 200, 'Revalidated'],
      ['/dynamic?name=Ferris', 200, 'Ferris'],
      ['/posts/first', 200, 'first'],
      ['/posts/unlisted', 200, 'unlisted'],
      ['/legacy?a=1', 200, 'Legacy'],
      ['/about', 200, 'About'],
      ['/api/hello?name=Ferris', 200, '{"hello":"Ferris"}'],
      ['/api/time', 200, '"now"'],
      ['/robots.txt', 200, 'User-agent'],
      ['/nothing', 404, 'Nothing here'],
    ])) {
      const response = await fetch(origin + target)
      expect([target, response.status]).toEqual([target, status])
      expect(await response.text(), target).toContain(text)
    }
    const chunk = /\/_next\/static\/chunks\/[^"]+\.js/.exec(await (await fetch(origin)).text())?.[0]
    expect((await fetch(origin + chunk)).status).toBe(200)
    expect(server?.output()).not.toMatch(/Cannot find|Error/)
  })

  it('follows an ES module in TypeScript: paths of tsconfig, files without endings, packages and data', async () => {
    const root = built.frameworks
    const write = (/** @type {string} */ file, /** @type {string} */ text) => {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
      writeFileSync(path.join(root, file), text)
    }
    write('tsconfig.json', '{ "compilerOptions": { "paths": { "@/*": ["./lib/*"] } } }')
    write(
      'lib/greeting/index.ts',
      `import type { Request } from 'express'
import { readFileSync } from 'node:fs'
import { suffix } from './suffix'
const text: string = readFileSync(new URL('./greeting.txt', import.meta.url), 'utf8').trim()
export const greet = (req: Request): string => text + suffix(req.url as string)
`,
    )
    write('lib/greeting/suffix.ts', "export const suffix = (url: string) => ' at ' + url\n")
    write('lib/greeting/greeting.txt', 'hello\n')
    write('lib/late.ts', 'export enum Late { Word = "late" }\n')
    write(
      'servers/main.ts',
      `import express from 'express'
import next from 'next'
import { greet } from '@/greeting'
import { attachSockets } from './sockets.js'
const app = next({ dev: false })
await app.prepare()
const handle = app.getRequestHandler()
const server = express()
server.get('/greet', (req, res) => void res.send(greet(req)))
server.get('/late', async (_req, res) => void res.send((await import('@/late.js')).Late.Word))
server.use((req, res) => void handle(req, res))
attachSockets(server.listen(Number(process.env.PORT), () => console.log('listening')) as any)
`,
    )
    const dir = path.join(empty, 'module')
    await standalone(root, 'servers/main.ts', '--out', dir)
    const origin = await start(dir)
    const get = async (/** @type {string} */ target) => (await fetch(origin + target)).text()
    expect(await get('/greet')).toBe('hello at /greet')
    expect(await get('/late')).toBe('late')
    expect(await get('/app')).toContain('Below a path')
    expect(await get('/app/about')).toContain('Asked for by')
    expect(await get('/app/profile')).toContain('nobody')
    expect(await get('/app/stream')).toBe('first\nsecond\n')
  })

  it('says what is missing', async () => {
    const refusal = (/** @type {string[]} */ ...args) =>
      standalone(built['custom-server'], ...args).then(
        () => 'accepted',
        error => error.output,
      )
    expect(await refusal()).toMatch(/^FERRONEXT_BAD_ARGUMENT: Which server file\?/)
    expect(await refusal('none.ts')).toMatch(/^FERRONEXT_BAD_ARGUMENT: There is no server file .*none\.ts/)
    // A folder without a build, in which `next` is found.
    const unbuilt = path.join(built['custom-server'], 'run', `unbuilt-${process.pid}`)
    mkdirSync(unbuilt, { recursive: true })
    writeFileSync(path.join(unbuilt, 'server.js'), '')
    expect(await refusal('server.js', '--dir', unbuilt)).toMatch(/^FERRONEXT_NO_BUILD: /)
    rmSync(unbuilt, { recursive: true })
  })
})
