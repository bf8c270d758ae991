// Prerendered answers on disk: upstream and ferronext take turns on one build folder, and whatever the folder holds, nobody gets
// half an answer.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ask, askUntil } from '../support/ask.mjs'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { startServer } from '../support/server.mjs'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))

/** @type {string} */
let dir
/** @type {import('../support/server.mjs').Server | undefined} */
let server

beforeEach(async () => {
  const { dir: built } = await buildFixture({ line: '16.4', source: path.join(fixtures, 'persistent') })
  dir = await copyApp(built, 'disk')
})
afterEach(async () => {
  await server?.stop()
  await removeApp(dir)
})

/** Ends the server that runs, if one does, and starts another on the same folder. @param {import('../support/server.mjs').Engine} engine @param {object} [conf] */
async function serve(engine, conf) {
  await server?.stop()
  if (conf) {
    writeFileSync(
      path.join(dir, 'server.mjs'),
      `import { createServer } from 'node:http'
import next from 'next'
const app = next({ dev: false, conf: ${JSON.stringify(conf)} })
app.prepare().then(() => createServer(app.getRequestHandler()).listen(process.env.PORT, () => console.log('listening')))
`,
    )
  }
  server = await startServer({ dir, engine, ...(conf && { serverFile: 'server.mjs' }) })
  return server
}

const get = (/** @type {string} */ target, /** @type {Record<string, string>} */ headers = {}) =>
  ask(/** @type {NonNullable<typeof server>} */ (server).port, target, headers)

/** What an answer says of where it came from and which render it shows. @param {Awaited<ReturnType<typeof ask>>} answer */
const origin = ({ status, cache, control, text }) => [status, cache, control, text.match(/render [\w-]+/)?.[0]]

/** The files of answers that were rendered at run time, below `.next/server`. @param {RegExp} [pattern] */
function stored(pattern = /./) {
  const root = path.join(dir, '.next/server')
  return /** @type {string[]} */ (readdirSync(root, { recursive: true }))
    .map(name => path.join(root, name))
    .filter(name => name.includes('route-cache') && /\.\w+$/.test(name) && pattern.test(name))
}

/** Where the answers of a kind are asked for. */
const TARGETS = ['/page/one', '/handler/one', '/list/one', '/_next/data/{buildId}/list/one.json', '/data/one']

const buildId = () => readFileSync(path.join(dir, '.next/BUILD_ID'), 'utf8').trim()
const all = () => Promise.all(TARGETS.map(target => get(target.replace('{buildId}', buildId()))))

it.each(
  /** @type {const} */ ([
    ['upstream', 'ferronext'],
    ['ferronext', 'upstream'],
    ['ferronext', 'ferronext'],
  ]),
)('what %s has stored is served by %s after a restart, as upstream would serve its own', async (first, second) => {
  /** @param {import('../support/server.mjs').Engine} before @param {import('../support/server.mjs').Engine} after */
  const restarted = async (before, after) => {
    await serve(before)
    const rendered = (await all()).map(({ text }) => text.match(/render [\w-]+/)?.[0])
    // Of pages whose lifetime nobody has stored, upstream believes a second. Both servers are later than that.
    await server?.stop()
    const earlier = new Date(Date.now() - 5000)
    for (const file of stored()) utimesSync(file, earlier, earlier)
    await serve(after)
    return { rendered, answers: (await all()).map(origin) }
  }
  const expected = await restarted('upstream', 'upstream')
  rmSync(path.join(dir, '.next/server/route-cache'), { recursive: true, force: true })
  rmSync(path.join(dir, '.next/cache/fetch-cache'), { recursive: true, force: true })
  const { rendered, answers } = await restarted(first, second)
  // Every render has a name of its own, so this says that nothing was rendered again.
  expect(answers.map(answer => answer[3])).toEqual(rendered)
  expect(answers.map(answer => answer.slice(0, 3))).toEqual(expected.answers.map(answer => answer.slice(0, 3)))
})

it('serves what the other engine has rendered since', async () => {
  await serve('ferronext')
  const first = (await get('/page/turns')).text
  await serve('upstream')
  expect((await get('/page/turns')).text).toBe(first)
  await get('/revalidate?path=/page/turns')
  const second = (await askUntil(/** @type {any} */ (server).port, '/page/turns', ({ cache }) => cache === 'HIT')).text
  expect(second).not.toBe(first)
  await serve('ferronext')
  expect([(await get('/page/turns')).text, (await get('/page/turns')).cache]).toEqual([second, 'HIT'])
})

/** Ways in which an answer can be torn: what is asked for, which of its files, and what is done to it. @type {[string, string, RegExp, (text: string) => string][]} */
const TORN = [
  ['a document that was cut off', '/page/cut', /page\/cut\.html$/, text => text.slice(0, text.length / 2)],
  ['an empty document', '/page/empty', /page\/empty\.html$/, () => ''],
  ['a payload of another render', '/page/payload', /page\/payload\.rsc$/, text => `${text} `],
  ['a segment of another render', '/page/segment', /page\/segment\.segments.*\.rsc$/, text => `${text} `],
  ['a `.meta` file that was cut off', '/page/meta', /page\/meta\.meta$/, text => text.slice(0, 20)],
  ['a body that was cut off', '/handler/body', /handler\/body\.body$/, () => 'render'],
  [
    'data of another render',
    '/list/data',
    /list\/data\.json$/,
    () => '{"pageProps":{"text":"render x"},"__N_SSG":true}',
  ],
]

it('renders again what is torn, and reports it once', async () => {
  await serve('ferronext')
  for (const [, target] of TORN) await get(target)
  await server?.stop()
  for (const [what, , pattern, tear] of TORN) {
    const files = stored(pattern)
    expect(files.length, what).toBeGreaterThan(0)
    for (const file of files) writeFileSync(file, tear(readFileSync(file, 'utf8')))
  }
  await serve('ferronext')
  for (const [what, target] of TORN) {
    const [answer, again] = [await get(target), await get(target)]
    expect([answer.status, answer.cache, again.cache], what).toEqual([200, 'MISS', 'HIT'])
    expect(answer.text, what).toMatch(/render \w{8}-/)
    expect(again.text, what).toBe(answer.text)
  }
  expect(server?.output().match(/cannot be read and is rendered again/g)).toHaveLength(TORN.length)
})

it('renders again when a file is missing, and reports nothing about one that was never there', async () => {
  await serve('ferronext')
  await all()
  await server?.stop()
  for (const file of stored(/page.*\.html$/)) rmSync(file)
  await serve('ferronext')
  const answer = await get('/page/one')
  expect([answer.status, answer.cache]).toEqual([200, 'MISS'])
  expect(server?.output()).not.toContain('cannot be read')
})

it('goes on from memory when the folder takes no files, and says so once', async () => {
  // Also who may write everything cannot create a file below a file.
  for (const folder of ['server', 'cache/fetch-cache']) {
    const name = path.join(dir, '.next', folder, '.ferronext-tmp')
    rmSync(name, { recursive: true, force: true })
    mkdirSync(path.dirname(name), { recursive: true })
    writeFileSync(name, '')
  }
  await serve('ferronext')
  const first = await all()
  const second = await all()
  expect(first.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect(second.map(({ text }) => text)).toEqual(first.map(({ text }) => text))
  expect(second[0]?.cache).toBe('HIT')
  expect(stored()).toEqual([])
  expect(server?.output().match(/is kept in memory only/g)).toHaveLength(1)
})

it('writes nothing with `isrFlushToDisk: false`, and keeps what the build has written', async () => {
  await serve('ferronext', { experimental: { isrFlushToDisk: false } })
  const first = await all()
  expect((await all()).map(({ text }) => text)).toEqual(first.map(({ text }) => text))
  expect((await get('/page/built')).cache).toBe('HIT')
  expect(stored()).toEqual([])
  expect(existsSync(path.join(dir, '.next/cache/fetch-cache'))).toBe(false)
})

it('keeps nothing in memory with `cacheMaxMemorySize: 0`, and reads it back from disk', async () => {
  await serve('ferronext', { cacheMaxMemorySize: 0 })
  const first = await all()
  const files = stored()
  expect(files.length).toBeGreaterThan(0)
  const second = await all()
  expect(second.map(({ text }) => text)).toEqual(first.map(({ text }) => text))
  expect([second[0]?.cache, second[1]?.cache]).toEqual(['HIT', 'HIT'])
  rmSync(path.join(dir, '.next/server/route-cache'), { recursive: true })
  expect((await get('/page/one')).cache).toBe('MISS')
})

it('leaves no temporary file behind, and removes those of processes that are gone', async () => {
  const folder = path.join(dir, '.next/server/.ferronext-tmp')
  await serve('ferronext')
  await all()
  expect(readdirSync(folder)).toEqual([])
  await server?.stop()
  const abandoned = path.join(folder, '1-1')
  writeFileSync(abandoned, 'half')
  utimesSync(abandoned, 1, 1)
  writeFileSync(path.join(folder, '2-2'), 'somebody writes this')
  await serve('ferronext')
  expect(readdirSync(folder)).toEqual(['2-2'])
})
