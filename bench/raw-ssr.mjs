// The limit of rendered pages: the same components, rendered for every request by React alone and sent by Node's `http`.
// Usage: PORT=1234 node bench/raw-ssr.mjs answer.json, where `renders` says which page to render and whose React to take.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { makeLoader } from './modules.mjs'

/** @typedef {{ page: 'pages/ssr.jsx' | 'app/items/page.jsx', source: string, workspace: string }} Renders */
/** @typedef {{ [label: string]: string }} Query */

const answer = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const renders = /** @type {Renders} */ (answer.renders)
const compresses = answer.encoding === 'gzip'
const sent = Buffer.from(answer.body, 'base64')
const expected = (compresses ? gunzipSync(sent) : sent).toString('utf8')
const ofWorkspace = createRequire(path.join(renders.workspace, 'package.json'))
const source = (/** @type {string} */ file) => path.join(renders.source, file)
const next = (/** @type {string} */ file) => ofWorkspace.resolve(`next/dist/compiled/${file}`)

/** Compiled packages ask for each other by their place, and the app by their name. @param {string} name @param {string} file */
const bothNames = (name, file) => ({ [name]: next(file), [`next/dist/compiled/${name}`]: next(file) })

/** Pages Router: the tree as one string, in the document that the engines send around it. @returns {(query: Query) => string} */
function makePagesRenderer() {
  const { createElement } = ofWorkspace('react')
  const { renderToString } = ofWorkspace('react-dom/server')
  const load = makeLoader({ react: ofWorkspace('react'), 'react/jsx-runtime': ofWorkspace('react/jsx-runtime') })
  const { default: Page, getServerSideProps } = load(source('pages/ssr.jsx'))
  const render = (/** @type {Query} */ query) =>
    renderToString(createElement(Page, getServerSideProps({ query }).props))
  const [before, after] = expected.split(render(queryOf(answer.path)))
  return query => before + render(query) + after
}

/**
 * App Router: server components to flight data, flight data to HTML, both streamed, and the flight data again in a script for hydration.
 * `next` has the React that it renders apps with in its compiled packages.
 *
 * @returns {(query: Query) => Promise<string>}
 */
function makeAppRenderer() {
  const load = makeLoader({
    ...bothNames('react', 'react/cjs/react.react-server.production.js'),
    ...bothNames('react-dom', 'react-dom/cjs/react-dom.react-server.production.js'),
    'react/jsx-runtime': next('react/cjs/react-jsx-runtime.react-server.production.js'),
    // Outside of `next` every render is one for a request.
    'next/server': { connection: async () => {} },
  })
  const flightServer = load(next('react-server-dom-turbopack/cjs/react-server-dom-turbopack-server.node.production.js'))
  const { default: Layout } = load(source('app/layout.jsx'))
  const { default: Page } = load(source('app/items/page.jsx'))
  const { createElement } = load(next('react/cjs/react.react-server.production.js'))

  const loadForHtml = makeLoader({
    ...bothNames('react', 'react/cjs/react.production.js'),
    ...bothNames('react-dom', 'react-dom/cjs/react-dom.production.js'),
  })
  const { renderToPipeableStream } = loadForHtml(next('react-dom/cjs/react-dom-server.node.production.js'))
  const flightClient = loadForHtml(
    next('react-server-dom-turbopack/cjs/react-server-dom-turbopack-client.node.production.js'),
  )
  // No client component is in this tree.
  const manifest = { moduleMap: {}, serverModuleMap: null, moduleLoading: null }

  return async query => {
    const tree = createElement(Layout, null, createElement(Page, { searchParams: Promise.resolve(query) }))
    const flight = new PassThrough()
    /** @type {Buffer[]} */
    const flightData = []
    flight.on('data', chunk => flightData.push(chunk))
    flightServer.renderToPipeableStream(tree, {}).pipe(flight)
    const root = flightClient.createFromNodeStream(flight, manifest)
    const html = await new Promise((resolve, reject) => {
      const rendering = renderToPipeableStream(root, {
        onShellReady: () => resolve(text(rendering.pipe(new PassThrough()))),
        onShellError: reject,
        onError: reject,
      })
    })
    const inlined = JSON.stringify([1, Buffer.concat(flightData).toString('utf8')]).replaceAll('<', '\\u003c')
    return `${html}<script>(self.__next_f=self.__next_f||[]).push(${inlined})</script>`
  }
}

/** @param {string} url */
const queryOf = url => Object.fromEntries(new URLSearchParams(url.slice(url.indexOf('?') + 1)))

/** What must be in both documents. @param {string} html */
const mainOf = html => /<main>.*<\/main>/s.exec(html)?.[0]

const render = renders.page === 'pages/ssr.jsx' ? makePagesRenderer() : makeAppRenderer()
const main = mainOf(await render(queryOf(answer.path)))
if (!main || main !== mainOf(expected))
  throw new Error(`${renders.page} rendered by React alone is another page:\n${main}`)

const OF_BODY = ['content-length', 'etag']
/** @type {string[]} */
const headers = []
for (let at = 0; at < answer.headers.length; at += 2) {
  if (!OF_BODY.includes(answer.headers[at].toLowerCase())) headers.push(answer.headers[at], answer.headers[at + 1])
}

createServer(async (req, res) => {
  const html = await render(queryOf(req.url ?? ''))
  const body = compresses ? gzipSync(html) : Buffer.from(html)
  res.writeHead(answer.status, [...headers, 'Content-Length', String(body.length)])
  res.end(body)
}).listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(JSON.stringify({ ready: performance.now() }))
})
