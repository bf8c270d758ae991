// Which entries are prepared once, and which are left to the handler that they document (runtime/entry/fast/paths.js). That both answer alike is what
// the conformance cases of the fixture show; here it is seen that there are two ways.
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderingDocumentsOnce } from '../../runtime/entry/fast/document.js'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { ensureWorkspace } from '../support/workspace.mjs'

const fixture = (/** @type {string} */ name) => fileURLToPath(new URL(path.join('../fixtures', name), import.meta.url))

/** @type {(() => Promise<unknown>)[]} */
const cleanUps = []
afterAll(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} [env]
 */
async function serve(name, env = {}) {
  const { dir: built } = await buildFixture({ line: '16.4', source: fixture(name) })
  const dir = await copyApp(built, 'lean')
  const server = await startServer({ dir, engine: 'ferronext', env: { ...env, DEBUG: 'ferronext:render' } })
  cleanUps.push(
    () => server.stop(),
    () => removeApp(dir),
  )
  /** @param {string} target @param {Record<string, string>} [headers] */
  const get = async (target, headers) => (await sendRaw({ port: server.port, target, headers })).decoded.toString()
  return { ...server, get }
}

describe('an app without locales', () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let seen
  beforeAll(async () => {
    seen = await serve('seen')
  })

  it.each([
    ['an API route', '/api/seen', '/api/seen'],
    ['an API route with a param', '/api/items/7', '/api/items/[id]'],
    ['a route handler', '/route/seen', '/route/seen/route'],
    ['a page', '/shown', '/shown'],
    ['an app page', '/page/7', '/page/[id]/page'],
  ])('prepares %s once', async (_, target, page) => {
    await seen.get(target)
    expect(await seen.printed(lineOf(`${page}: prepared once`))).toBe(true)
  })

  it('keeps the document around a page, unless it is another each time', async () => {
    for (const a of [1, 2, 3]) await seen.get(`/documented?a=${a}`)
    expect(await seen.printed(lineOf('/documented: its document is kept'))).toBe(true)
    expect(seen.output()).not.toContain('differs too often')
    const from = seen.output().length
    for (let title = 1; title < 20; title++) {
      expect(await seen.get(`/documented?title=${title}`)).toContain(`>${title}</title>`)
    }
    expect(await seen.printed(lineOf('/documented: its document differs too often'), from)).toBe(true)
    expect(seen.output().slice(from)).not.toContain('its document is kept')
  })

  it('leaves all of them to their handlers when it is told to', async () => {
    const { get, output, printed } = await serve('seen', { FERRONEXT_LEAN: '0' })
    for (const target of ['/api/seen', '/route/seen', '/shown', '/page/7']) await get(target)
    expect(await printed(/\/page\/\[id\] in /)).toBe(true)
    expect(output()).not.toMatch(/prepared once|prepare\(\) is upstream's/)
  })

  it('leaves an optional catch-all and what a rewrite has led to', async () => {
    const { get, output, printed } = seen
    await get('/api/rest/x')
    expect(await printed(/\/api\/rest\/\[\[\.\.\.rest\]\]: prepare\(\) is upstream's/)).toBe(true)
    // `afterFiles` has a rule for the path of this file. Upstream looks at it, so that nothing can be learned from the request.
    await get('/api/stream')
    expect(await printed(/\/api\/stream in /)).toBe(true)
    expect(output()).not.toMatch(lineOf('/api/stream: prepared once'))
  })
})

it('leaves the entries of an app with locales to their handlers', async () => {
  const { get, output, printed } = await serve('locales')
  await get('/ssr')
  expect(await printed(/ in \d/)).toBe(true)
  expect(output()).not.toMatch(/prepared once/)
})

/** @typedef {{ __NEXT_DATA__: Record<string, unknown>, docComponentsRendered: object }} HtmlContext */

it('has a document that says more than it is made of rendered each time', async () => {
  const { dir } = await ensureWorkspace({ line: '16.4' })
  const require = createRequire(path.join(dir, 'package.json'))
  const { createContext, createElement } = require('react')
  const Context = createContext(/** @type {HtmlContext | null} */ (null))
  let renders = 0
  const shown = (/** @type {HtmlContext | null} */ value) => {
    const { __NEXT_DATA__ } = /** @type {HtmlContext} */ (value)
    __NEXT_DATA__.scriptLoader = []
    const data = { __html: JSON.stringify(__NEXT_DATA__) }
    const script = { id: '__NEXT_DATA__', type: 'application/json', dangerouslySetInnerHTML: data }
    return createElement(
      'html',
      { lang: `x-${++renders}` },
      createElement('body', null, createElement('script', script)),
    )
  }
  const builtin = () => createElement(Context.Consumer, { children: shown })
  Object.assign(builtin, { __NEXT_BUILTIN_DOCUMENT__: true })
  /** @type {string[]} */
  const traced = []
  const { renderToReadableStream } = require('react-dom/server.node')
  const render = renderingDocumentsOnce(
    renderToReadableStream,
    json => json,
    (_, text, off) => traced.push(`${text} (${off})`),
  )
  for (let turn = 1; turn <= 4; turn++) {
    const value = { __NEXT_DATA__: { props: { turn }, page: '/x' }, docComponentsRendered: {} }
    const stream = await render(createElement(Context.Provider, { value }, createElement(builtin)))
    const html = await new Response(stream).text()
    expect(html).toContain(`<html lang="x-${turn}">`)
    expect(html).toContain(`{"props":{"turn":${turn}},"page":"/x","scriptLoader":[]}`)
  }
  expect(traced).toEqual(['/x: its document has more in it than is known (version)'])
})

/** @param {string} text */
const lineOf = text => new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
