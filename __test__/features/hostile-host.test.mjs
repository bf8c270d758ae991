// Published vulnerabilities around `Host`, `Origin` and the nonce, each as a test. The server believes its own options and
// nobody's header when it fetches from itself.

import { createServer } from 'node:http'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { placeholders } from '../conformance/case.mjs'
import { header, serveFixture } from '../support/serve-fixture.mjs'
import { LINE_NAMES } from '../support/workspace.mjs'

const wanted = (process.env.FERRONEXT_LINES ?? '16.4').split(',')

/** What the server sends to an address that a client named: nothing. @type {string[]} */
const received = []
const attacker = createServer((req, res) => {
  received.push(`${req.method} ${req.url} ${JSON.stringify(req.headers)}`)
  res.setHeader('Content-Type', 'text/x-component')
  res.end('stolen')
})
/** @type {string} */
let evil

beforeAll(async () => {
  await new Promise(resolve => attacker.listen(0, '127.0.0.1', () => resolve(undefined)))
  evil = `127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (attacker.address()).port}`
})

afterAll(() => {
  attacker.close()
})

describe.each(LINE_NAMES.filter(line => wanted.includes(line)))('on %s', line => {
  /** @type {Awaited<ReturnType<typeof serveFixture>>} */
  let server
  /** @type {string} */
  let id

  beforeAll(async () => {
    server = await serveFixture({
      fixture: 'custom-server',
      serverFile: 'custom.mjs',
      line,
      name: 'hostile',
      options: { port: 'own' },
    })
    id = placeholders(path.join(server.dir, '.next')).action ?? ''
  })
  afterAll(() => server?.close())

  /** @param {string} target @param {Record<string, string>} headers */
  const act = (target, headers) =>
    server.ask(target, {
      method: 'POST',
      body: '[]',
      headers: { 'Next-Action': id, 'Content-Type': 'text/plain;charset=UTF-8', ...headers },
    })

  it('an action that redirects gets the page of the target from the server itself', async () => {
    const answer = await act('/action', { Host: `localhost:${server.port}`, Origin: `http://localhost:${server.port}` })
    expect([200, 303]).toContain(answer.status)
    expect(header(answer, 'x-action-redirect')).toBe('/action-target;push')
    expect(answer.decoded.toString()).toContain('target of the action')
  })

  for (const name of ['Host', 'X-Forwarded-Host']) {
    for (const [what, target] of [
      ['redirects', '/action'],
      ['is forwarded to another page', '/action-target'],
    ]) {
      it(`CVE-2024-34351, CVE-2026-64649: an action that ${what}, with a hostile ${name}`, async () => {
        const before = received.length
        const answer = await act(target ?? '', { Host: 'localhost', [name]: evil, Origin: `http://${evil}` })
        expect(received.slice(before)).toEqual([])
        expect(answer.decoded.toString()).not.toContain('stolen')
        expect(JSON.stringify(answer.headers)).not.toContain(evil)
      })
    }
  }

  it('CVE-2026-64649: no secret of the build is in an answer to a hostile request', async () => {
    const { previewId = '-' } = placeholders(path.join(server.dir, '.next'))
    const answer = await act('/action', { Host: evil, Origin: `http://${evil}` })
    expect(`${JSON.stringify(answer.headers)}${answer.decoded}`).not.toContain(previewId)
  })

  it.each(['null', 'http://evil.example', 'https://localhost.evil.example'])(
    'CVE-2026-27978: an action with the origin %s is refused',
    async Origin => {
      const before = server.output().length
      const answer = await act('/action', { Host: 'localhost', Origin })
      // 16.0 does not know the origin `null`, and its compiled pages decide.
      if (Origin === 'null' && line === '16.0') return expect(answer.status).toBe(303)
      expect(answer.status).toBe(500)
      expect(header(answer, 'x-action-redirect')).toBeUndefined()
      expect(server.output().slice(before)).toMatch(/Invalid Server Actions request|Invalid URL/)
    },
  )

  it.each([`"><script>alert(1)</script>`, `a' onload='x`, 'a&b'])(
    'CVE-2026-44581: the malformed nonce %s is nowhere in the page',
    async nonce => {
      const headers = { 'Content-Security-Policy': `script-src 'nonce-${nonce}'` }
      const text = (await server.ask('/dynamic', { headers })).decoded.toString()
      expect(text).not.toContain(`nonce="${nonce}`)
      expect(text).not.toContain('alert(1)')
      expect(text).not.toContain("onload='x")
    },
  )
})
