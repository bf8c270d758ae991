// The option `conf`: rules and run-time options are honoured, what the build has fixed is refused, and every mistake is named.
// That the rules do what `next build` would have made of them is compared in __test__/conformance/cases/conf.mjs.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { header, serveFixture } from '../support/serve-fixture.mjs'
import { startServer } from '../support/server.mjs'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))

/** A server that tries one `conf` after another, each in an app of its own, and answers with what became of it. */
const SERVER = `
import { createServer } from 'node:http'
import next from 'next'
import confs from './confs.mjs'

const apps = new Map()
createServer(async (req, res) => {
  const name = decodeURIComponent(req.headers['x-conf'])
  try {
    if (!apps.has(name)) {
      const app = next({ dir: import.meta.dirname, conf: confs[name] })
      await app.prepare()
      apps.set(name, app)
    }
    await apps.get(name).getRequestHandler()(req, res)
  } catch (error) {
    res.statusCode = 599
    res.end(JSON.stringify({ code: error.code, message: error.message }))
  }
}).listen(process.env.PORT, () => console.log('listening'))
`

/**
 * Rules that are refused: what is wrong with them, and what the message has to say.
 *
 * @type {[string, string, RegExp][]}
 */
const BROKEN = [
  ['rules that are no function', 'redirects: []', /^conf\.redirects has to be a function/],
  ['no list', 'redirects: () => 5', /^conf\.redirects\(\) has to return a list, not 5/],
  ['a function that throws', "headers: () => { throw new Error('own') }", /^conf\.headers\(\) threw: own/],
  ['a function that rejects', "rewrites: async () => { throw new Error('own') }", /^conf\.rewrites\(\) threw: own/],
  ['an unknown phase', 'rewrites: () => ({ before: [] })', /^conf\.rewrites\(\) returned the unknown phase "before"/],
  ['a phase that is no list', 'rewrites: () => ({ fallback: 1 })', /^conf\.rewrites\(\)\.fallback has to be a list/],
  ['a rule that is no object', "redirects: () => ['/a']", /^conf\.redirects\(\)\[0\] has to be an object, not "\/a"/],
  ['a rule that is null', 'headers: () => [null]', /^conf\.headers\(\)\[0\] has to be an object, not null/],
  ['an unknown field', redirect({ sauce: 1 }), /\[1\] has the unknown field `sauce`/],
  ['no source', "redirects: () => [{ destination: '/', permanent: true }]", /\[0\] has no `source`/],
  ['a source that is no text', redirect({ source: 5 }), /\[1\] has a `source` that is no text but 5/],
  ['a source without a slash', redirect({ source: 'a' }), /\[1\] has the `source` "a", which does not start with "\/"/],
  ['a broken pattern', redirect({ source: '/:a(' }), /\[1\] has a `source` "\/:a\(" that cannot be parsed/],
  ['a broken group', redirect({ source: '/:a([)' }), /\[1\] has a `source` .* that cannot be parsed/],
  ['a pattern that is too long', redirect({ source: `/${'a'.repeat(5000)}` }), /is too long/],
  ['no destination', "redirects: () => [{ source: '/a', permanent: true }]", /\[0\] has no `destination`/],
  ['a destination that is no text', redirect({ destination: {} }), /has a `destination` that is no text/],
  ['an unknown param', redirect({ destination: '/:nobody' }), /\[1\] uses the param :nobody in its `destination`/],
  ['an unnamed param', redirect({ source: '/(.*)', destination: '/:0' }), /uses :0 in its `destination`/],
  ['both permanent and statusCode', redirect({ statusCode: 301 }), /\[1\] has both `permanent` and `statusCode`/],
  ['neither of them', redirect({ permanent: undefined }), /\[1\] needs `permanent: true`/],
  ['a status that redirects nowhere', redirect({ permanent: undefined, statusCode: 200 }), /has the `statusCode` 200/],
  [
    'has of an unknown type',
    redirect({ has: [{ type: 'ip', key: 'a' }] }),
    /\[1\] has has\[0\] of the unknown type "ip"/,
  ],
  ['missing without a key', redirect({ missing: [{ type: 'header' }] }), /\[1\] has missing\[0\] without a `key`/],
  ['has host without a value', redirect({ has: [{ type: 'host' }] }), /has\[0\] of type "host" without a `value`/],
  [
    'has with a broken pattern',
    redirect({ has: [{ type: 'query', key: 'a', value: '(' }] }),
    /has\[0\] with a broken pattern/,
  ],
  ['has that is no list', redirect({ has: {} }), /has a `has` that is no list/],
  ['basePath: true', redirect({ basePath: true }), /may have no `basePath` but `false`/],
  ['locale: "en"', redirect({ locale: 'en' }), /may have no `locale` but `false`/],
  ['a relative rewrite', "rewrites: () => [{ source: '/a', destination: 'b' }]", /starts with none of "\/", "http:/],
  [
    'an external rewrite without a host',
    "rewrites: () => ({ afterFiles: [{ source: '/a', destination: '/b', basePath: false }] })",
    /^conf\.rewrites\(\)\.afterFiles\[0\] has `basePath: false`/,
  ],
  [
    'a rewrite with a status',
    "rewrites: () => [{ source: '/a', destination: '/b', permanent: true }]",
    /unknown field/,
  ],
  ['headers without headers', "headers: () => [{ source: '/a' }]", /\[0\] needs `headers`/],
  ['an empty list of headers', "headers: () => [{ source: '/a', headers: [] }]", /\[0\] needs `headers`/],
  ['a header without a value', "headers: () => [{ source: '/a', headers: [{ key: 'x' }] }]", /\[0\] has headers\[0\]/],
]

/** @type {[string, string, RegExp][]} */
const CONTRADICTIONS = [
  ['basePath', "basePath: '/other'", /`conf\.basePath` is "\/other", but the app was built with ""/],
  ['distDir', "distDir: 'out'", /`conf\.distDir`/],
  ['assetPrefix', "assetPrefix: 'https://cdn.example'", /`conf\.assetPrefix`/],
  ['trailingSlash', 'trailingSlash: true', /`conf\.trailingSlash` is true, but the app was built with false/],
  ['i18n', "i18n: { locales: ['en'], defaultLocale: 'en' }", /`conf\.i18n`/],
  ['output', "output: 'export'", /`conf\.output`/],
  ['a value of the wrong type', "compress: 'no'", /`conf\.compress` has to be a boolean, not "no"/],
  ['a size of the wrong form', "experimental: { proxyClientMaxBodySize: 'big' }", /has to be a size such as "10mb"/],
]

/** The second of two redirects, with the fields that are tried. @param {object} fields */
function redirect(fields) {
  const rule = { source: '/a', destination: '/b', permanent: true, ...fields }
  const text = JSON.stringify(rule)
  return `redirects: async () => [{ source: '/ok', destination: '/', permanent: true }, ${text}]`
}

const GOOD = `
  redirects: async () => [{ source: '/given/:slug', destination: '/blog/:slug', permanent: false }],
  poweredByHeader: false,
  generateEtags: false,
  compress: false,`

/** @type {string} */
let app
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server

beforeAll(async () => {
  const { dir } = await buildFixture({ line: '16.4', source: path.join(fixtures, 'custom-server') })
  app = await copyApp(dir, 'conf')
  const tried = [...BROKEN, ...CONTRADICTIONS].map(([name, text]) => `${JSON.stringify(name)}: { ${text} },`)
  const good = [
    `none: undefined, empty: {}, number: 5, good: { ${GOOD} },`,
    `own: { ...own, webpack: config => config, experimental: {} },`,
    `useless: { reactStrictMode: true },`,
    `rewrites: { rewrites: () => [{ source: '/again', destination: '/dynamic' }] },`,
  ]
  const file = `import own from './next.config.mjs'\nexport default {\n${[...good, ...tried].join('\n')}\n}\n`
  writeFileSync(path.join(app, 'confs.mjs'), file)
  writeFileSync(path.join(app, 'conf-server.mjs'), SERVER)
  server = await startServer({ dir: app, engine: 'ferronext', serverFile: 'conf-server.mjs' })
})

afterAll(async () => {
  await server?.stop()
  await removeApp(app)
})

/** @param {string} conf @param {string} target @param {Record<string, string>} [headers] */
const ask = (conf, target, headers = {}) =>
  sendRaw({ port: server.port, target, headers: { 'x-conf': encodeURIComponent(conf), ...headers } })

/** @param {string} conf */
async function refusal(conf) {
  const { status, decoded } = await ask(conf, '/')
  expect(status, decoded.toString()).toBe(599)
  return JSON.parse(decoded.toString())
}

describe('a broken rule is named and does not end the process', () => {
  it.each(BROKEN)('%s', async (name, _text, message) => {
    const { code, message: said } = await refusal(name)
    expect(said).toMatch(message)
    expect(said).toMatch(/^conf\.(redirects|rewrites|headers)/)
    expect(code).toBe('FERRONEXT_BAD_CONFIG')
  })
})

describe('what the build has fixed cannot change', () => {
  it.each(CONTRADICTIONS)('%s', async (name, _text, message) => {
    const { code, message: said } = await refusal(name)
    expect(said).toMatch(message)
    expect(code).toBe('FERRONEXT_BAD_CONFIG')
  })

  it('an object it has to be', async () => {
    expect(await refusal('number')).toMatchObject({ message: expect.stringContaining('has to be the object') })
  })

  it('the next.config that the app was built with is no contradiction', async () => {
    const before = server.output().length
    expect((await ask('own', '/old')).status).toBe(308)
    expect(server.output().slice(before)).not.toContain('conf.')
  })

  it('an option of the build that makes no difference while serving gets a warning', async () => {
    expect((await ask('useless', '/')).status).toBe(200)
    expect(server.output()).toContain('`conf.reactStrictMode` has no effect at run time')
  })
})

describe('rules of conf', () => {
  it('take the place of the build’s rules of that kind', async () => {
    const moved = await ask('good', '/given/x')
    expect([moved.status, header(moved, 'location')]).toEqual([307, '/blog/x'])
    expect((await ask('good', '/old')).status).toBe(404)
    expect((await ask('none', '/old')).status).toBe(308)
    expect((await ask('none', '/given/x')).status).toBe(404)
  })

  it('leave the rules of other kinds, and those of Next.js itself', async () => {
    expect(header(await ask('good', '/'), 'x-rule')).toBe('rule')
    expect((await ask('good', '/rewritten')).status).toBe(200)
    const slash = await ask('good', '/plain/')
    expect([slash.status, header(slash, 'location')]).toEqual([308, '/plain'])
  })

  it('are of this app alone, while all apps of a build stay up to date', async () => {
    expect((await ask('rewrites', '/again')).status).toBe(200)
    expect((await ask('rewrites', '/rewritten')).status).toBe(404)
    expect((await ask('empty', '/rewritten')).status).toBe(200)
    // `fallback: 'blocking'`: whichever app renders it first, the others have it too.
    expect(header(await ask('none', '/item/shared'), 'x-nextjs-cache')).toBe('MISS')
    expect(header(await ask('good', '/item/shared'), 'x-nextjs-cache')).toBe('HIT')
    expect(header(await ask('rewrites', '/item/shared'), 'x-nextjs-cache')).toBe('HIT')
  })
})

describe('run-time options of conf', () => {
  it('replace those of next.config', async () => {
    const gzip = { 'accept-encoding': 'gzip' }
    const usual = await ask('none', '/', gzip)
    expect(header(usual, 'x-powered-by')).toBe('Next.js')
    expect(header(usual, 'content-encoding')).toBe('gzip')
    expect(header(usual, 'etag')).toBeDefined()
    const changed = await ask('good', '/', gzip)
    expect(changed.status).toBe(200)
    for (const name of ['x-powered-by', 'content-encoding', 'etag']) expect(header(changed, name), name).toBeUndefined()
  })

  it('reach the pages that are rendered per request', async () => {
    const conf = { poweredByHeader: false }
    const alone = await serveFixture({
      fixture: 'custom-server',
      serverFile: 'custom.mjs',
      name: 'alone',
      options: { conf },
    })
    try {
      for (const page of ['/server', '/dynamic']) {
        const answer = await alone.ask(page)
        expect(answer.status).toBe(200)
        expect(header(answer, 'x-powered-by'), page).toBeUndefined()
      }
    } finally {
      await alone.close()
    }
  })
})
