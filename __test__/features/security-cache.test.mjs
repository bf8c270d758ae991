// Published ways to poison the cache of Next.js or to exhaust its server, each of which must leave everybody else with the
// answer that is theirs.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rsc, segment } from '../conformance/case.mjs'
import { ask } from '../support/ask.mjs'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { openConnection, requestBytes, sendRaw } from '../support/raw.mjs'
import { header } from '../support/serve-fixture.mjs'
import { startServer } from '../support/server.mjs'

/** @typedef {{ dir: string, port: number, pid: number, buildId: string, previewId: string, stop: () => Promise<void> }} App */
/** @type {Record<string, App>} */
const apps = {}

beforeAll(async () => {
  for (const name of ['app-router', 'pages-router', 'revalidation', 'routes', 'cache-components', 'middleware']) {
    const source = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
    const { dir: built } = await buildFixture({ line: '16.4', source })
    const dir = await copyApp(built, 'security')
    const read = (/** @type {string} */ file) => readFileSync(path.join(dir, '.next', file), 'utf8')
    const { port, pid, stop } = await startServer({ dir, engine: 'ferronext' })
    const previewId = JSON.parse(read('prerender-manifest.json')).preview.previewModeId
    apps[name] = { dir, port, pid, stop, buildId: read('BUILD_ID').trim(), previewId }
  }
})

afterAll(async () => {
  for (const { dir, stop } of Object.values(apps)) {
    await stop()
    await removeApp(dir)
  }
})

/** @param {string} name */
const app = name => /** @type {App} */ (apps[name])

/** @param {string} name @param {string} target @param {Record<string, string>} [headers] */
const get = (name, target, headers) => ask(app(name).port, target, headers)

/** What must not be kept by anybody. @param {Awaited<ReturnType<typeof ask>>} answer */
const isKept = ({ control = '' }) => !/no-store|private/.test(control)

/** Headers that tell a server of an earlier version, or of a platform, that the request is another than it is. @type {Record<string, string>[]} */
const INJECTED = [
  { 'x-now-route-matches': '1' },
  { 'x-now-route-matches': '1=posts&nxtPslug=other' },
  { 'x-matched-path': '/ssg' },
  { 'x-nextjs-data': '1' },
  { 'x-invoke-path': '/ssg', 'x-invoke-query': '%7B%7D' },
  { 'x-middleware-rewrite': '/ssg' },
  { 'x-prerender-revalidate': 'guessed' },
  { 'x-invocation-id': '1' },
]

describe('CVE-2024-46982, CVE-2025-32421: a server-rendered page stays uncacheable', () => {
  it.each(INJECTED)('with %o', async headers => {
    const answer = await get('pages-router', '/ssr', headers)
    expect([answer.status, isKept(answer)]).toEqual([200, false])
    expect(header(answer.response, 'content-type')).toContain('text/html')
  })

  it.each(['?__nextDataReq=1', '?__nextDataReq=1&x=2', '?__nextLocale=de', '?__nextppronly=1', '?nxtPslug=x'])(
    'with %s',
    async query => {
      const answer = await get('pages-router', `/ssr${query}`, { 'x-now-route-matches': '1' })
      expect([answer.status, isKept(answer)]).toEqual([200, false])
      expect(header(answer.response, 'content-type')).toContain('text/html')
    },
  )

  it('and what it says to one is not what the next one gets', async () => {
    const one = await get('pages-router', '/ssr?who=one', { 'x-now-route-matches': '1' })
    const two = await get('pages-router', '/ssr?who=two')
    expect(one.text).toContain('one')
    expect(two.text).not.toContain('one')
  })
})

describe('CVE-2025-49826: an answer without a body is never what the others get', () => {
  it('after many different requests for a page that goes stale', async () => {
    const { port, previewId } = app('revalidation')
    await ask(port, '/blog/bodies', { 'x-prerender-revalidate': previewId })
    await delay(2200)
    const { headers = {}, target = '' } = rsc('/blog/bodies').steps[0] ?? {}
    const etag = header((await ask(port, '/blog/bodies')).response, 'etag') ?? ''
    await Promise.all(
      Array.from({ length: 40 }, () => [
        sendRaw({ port, target: '/blog/bodies', method: 'HEAD' }),
        sendRaw({ port, target: '/blog/bodies', headers: { 'if-none-match': etag } }),
        sendRaw({ port, target: '/blog/bodies', method: 'OPTIONS' }),
        sendRaw({ port, target, headers }),
        sendRaw({ port, target: '/blog/bodies', headers: { 'x-prerender-revalidate': 'guessed' } }),
        sendRaw({ port, target: '/blog/bodies', headers: { range: 'bytes=0-0' } }),
      ]).flat(),
    )
    for (let times = 0; times < 3; times++) {
      const { status, text } = await ask(port, '/blog/bodies')
      expect(status).toBe(200)
      expect(text).toMatch(/<p>bodies: render \d/)
    }
  })
})

describe('CVE-2025-49005, CVE-2026-44576, CVE-2026-44582: HTML and payloads of one URL', () => {
  const html = (/** @type {string} */ target) => get('app-router', target)

  it('never mix, in whatever order requests come', async () => {
    const { port } = app('app-router')
    const payload = rsc('/isr').steps[0]
    const part = segment('/isr', '/_tree').steps[0]
    const types = []
    for (const { target = '', headers } of [payload, { target: '/isr' }, part, payload, { target: '/isr' }]) {
      const response = await sendRaw({ port, target, headers })
      types.push(header(response, 'content-type'))
      expect(header(response, 'vary')).toMatch(/rsc, next-router-state-tree, next-router-prefetch/)
    }
    const [RSC, HTML] = ['text/x-component', 'text/html; charset=utf-8']
    expect(types).toEqual([RSC, HTML, RSC, RSC, HTML])
  })

  it.each(['1', 'true', '01', ' 1', '1,1', ''])('`rsc: %s` without `_rsc` poisons no URL', async value => {
    const { port } = app('app-router')
    const response = await sendRaw({ port, target: '/isr', headers: { rsc: value } })
    // Either it is sent to a URL of its own, or it is a document.
    if (response.status === 200) expect(header(response, 'content-type')).toContain('text/html')
    else expect([response.status, header(response, 'location')]).toEqual([307, expect.stringMatching(/^\/isr\?_rsc/)])
    expect(header((await html('/isr')).response, 'content-type')).toContain('text/html')
  })

  it('a `_rsc` that belongs to other headers is corrected', async () => {
    const prefetch = rsc('/isr', { 'next-router-prefetch': '1' }).steps[0]?.target ?? ''
    const response = await sendRaw({ port: app('app-router').port, target: prefetch, headers: { rsc: '1' } })
    expect([response.status, header(response, 'location')]).toEqual([307, '/isr?_rsc'])
  })

  it('a document at the URL of a payload is a document', async () => {
    const { target = '' } = rsc('/isr').steps[0] ?? {}
    expect(header((await html(target)).response, 'content-type')).toContain('text/html')
  })
})

describe('CVE-2026-94543, CVE-2026-94484: each key holds the answers of its own route', () => {
  /** What each path shows before anybody tries anything. */
  const VICTIMS = ['/docs/a', '/shop/a', '/opt', '/kept/one', '/']
  const SUFFIXES = [
    '',
    '/',
    '.rsc',
    '.json',
    '.txt',
    '/index',
    '/$',
    '%2F',
    '%2e',
    '/_next/data/x.json',
    '/..%2f',
    '?_rsc=x',
  ]
  const PREFIXES = ['', '/_next/data/{buildId}', '/route-cache/APP_PAGE', '/index', '/%2e', '/.', '//', '/_not-found']

  it('whatever was asked for before', { timeout: 120_000 }, async () => {
    const { port, buildId } = app('routes')
    const show = async () => {
      const answers = await Promise.all(VICTIMS.map(target => ask(port, target)))
      return answers.map(({ status, text }) => [status, text.match(/<body.*?<script/s)?.[0] ?? text])
    }
    const before = await show()
    const tries = VICTIMS.flatMap(victim =>
      PREFIXES.flatMap(prefix => SUFFIXES.map(suffix => `${prefix}${victim}${suffix}`.replace('{buildId}', buildId))),
    )
    for (const [at, target] of tries.entries()) {
      const headers = { ...INJECTED[at % INJECTED.length], 'next-router-prefetch': '1', rsc: at % 3 === 0 ? '1' : '0' }
      await sendRaw({ port, target, headers }).catch(() => undefined)
      await sendRaw({ port, target }).catch(() => undefined)
    }
    expect(await show()).toEqual(before)
  })
})

describe('CVE-2026-94544: draft mode', () => {
  it('is in no other client’s page, stale or new', async () => {
    const { port, previewId } = app('revalidation')
    const cookie = header(await sendRaw({ port, target: '/draft' }), 'set-cookie')?.split(';', 1)[0] ?? ''
    await ask(port, '/switch?secret=300')
    for (const first of ['/blog/secret', '/blog/secret']) {
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, at) => ask(port, first, at % 2 === 0 ? { cookie } : {})),
      )
      for (const [at, { text, control }] of answers.entries()) {
        expect(text.includes('in draft mode'), `request ${at}`).toBe(at % 2 === 0)
        if (at % 2 === 0) expect(control).toContain('no-store')
      }
      await ask(port, '/blog/secret', { 'x-prerender-revalidate': previewId, cookie })
      expect((await ask(port, '/blog/secret')).text).not.toContain('in draft mode')
      await delay(2200) // stale in the second round
    }
  })

  it.each([['__prerender_bypass=guessed'], ['__prerender_bypass='], ['a=b; __prerender_bypass=x; c=d']])(
    'is not had with the cookie %s',
    async cookie => {
      const { text } = await get('revalidation', '/blog/built', { cookie })
      expect(text).not.toContain('in draft mode')
    },
  )
})

describe('CVE-2025-59472, CVE-2026-27979: no client resumes a render', () => {
  it.each(['/shell', '/shop/lamp', '/open/any'])('%s', async target => {
    const { port } = app('cache-components')
    const state = `4:null${'x'.repeat(3_000_000)}`
    const headers = { 'next-resume': '1', 'x-next-resume-state-length': '9', 'content-type': 'text/plain' }
    const response = await sendRaw({ port, target, method: 'POST', headers, body: state, timeout: 30_000 })
    // A page is no place to post to, or its usual document.
    expect([200, 405]).toContain(response.status)
    if (response.status === 200) expect(response.decoded.toString()).toMatch(/^<!DOCTYPE html>/)
    const { status, text } = await ask(port, target)
    expect([status, /^<!DOCTYPE html>.*<\/html>$/s.test(text)]).toEqual([200, true])
  })
})

describe('CVE-2026-44579: POSTs to cached pages that are given up', () => {
  it('leave no socket and no memory behind', { timeout: 60_000 }, async () => {
    const { port, pid } = app('cache-components')
    const memory = () => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)?.[1]) / 1024
    const sockets = () =>
      readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
        .split('\n')
        .filter(
          line =>
            /:\w{4} 0100007F:\w{4} 0[128]/.test(line) &&
            line.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 0100007F`),
        ).length
    const giveUp = async () => {
      const connection = await openConnection({ port })
      const headers = { 'content-length': '1000000', 'next-action': 'x'.repeat(40), 'content-type': 'text/plain' }
      connection.write(requestBytes({ method: 'POST', target: '/shell', headers }))
      connection.write('x'.repeat(1000))
      await delay(2)
      connection.close()
    }
    const round = async () => {
      for (let i = 0; i < 40; i++) await Promise.all(Array.from({ length: 10 }, giveUp))
    }
    await round() // what is allocated once
    const before = memory()
    await round()
    await round()
    expect(memory() - before).toBeLessThan(60)
    for (const deadline = performance.now() + 5000; sockets() > 0 && performance.now() < deadline; ) await delay(50)
    expect(sockets()).toBe(0)
    expect((await ask(port, '/shell')).status).toBe(200)
  })
})

it('CVE-2026-75604: paths of other systems name no file and no answer', async () => {
  const names = [
    '..\\',
    '%5c',
    '%5C..%5C',
    'C:',
    'C%3A',
    'file.txt::$DATA',
    'NUL',
    'con.txt',
    '\\\\server\\share',
    '%00',
    '..;',
  ]
  for (const name of names) {
    for (const target of [`/${name}`, `/blog/${name}`, `/_next/static/${name}/x`, `/_next/data/x/${name}.json`]) {
      const { status } = await get('app-router', target)
      // `/blog/[slug]` is a page for any name; what it must not do is to answer for another path.
      expect([200, 307, 308, 400, 404], target).toContain(status)
    }
  }
  expect((await get('app-router', '/blog/one')).status).toBe(200)
})

it('keeps a cookie that middleware sets on a prerendered page to whom it was set for', async () => {
  const first = await get('middleware', '/static?mw=cookies')
  expect(first.response.headers.filter(([name]) => name.toLowerCase() === 'set-cookie').length).toBeGreaterThan(1)
  expect(first.text).toMatch(/^<!DOCTYPE html>/)
  for (const target of ['/static', '/static?mw=next']) {
    const { response, text } = await get('middleware', target)
    expect(text).toBe(first.text)
    expect(header(response, 'set-cookie')).toBeUndefined()
  }
})
