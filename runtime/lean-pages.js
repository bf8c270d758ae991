// In: the React that pages are rendered with. Out: the same React in its build for Node. Upstream renders pages with the build for edge
// runtimes, because that one had web streams first; it encodes each text and each attribute by itself, and takes nearly twice as long.
// Upstream waits for the whole page before it reads any of it, so that the chunks, in which the builds differ, cannot be seen.
// Upstream: next/dist/server/ReactDOMServerPages.js, which says that it means to do the same. Around the page goes a document, which is
// rendered once (lean-document.js).

const { renderingDocumentsOnce } = require('./lean-document')

/** @type {WeakSet<object>} */
const replaced = new WeakSet()

/**
 * Where React has `renderToReadableStream` in its build for Node, it takes the place of that in the other.
 * @param {import('./server').ServerState} server
 */
function renderByNodeBuild({ next, native }) {
  try {
    const edge = next.require('react-dom/server.edge')
    if (replaced.has(edge)) return
    const node = next.require('react-dom/server.node')
    replaced.add(edge)
    if (edge.version === node.version && typeof node.renderToReadableStream === 'function') {
      const render = node.renderToReadableStream
      const escapeJson = jsonEscaper(next)
      const trace = (/** @type {string} */ text) => native.trace('render', text)
      edge.renderToReadableStream = escapeJson ? renderingDocumentsOnce(render, escapeJson, trace) : render
    }
  } catch {
    // A React without one of the two, or a standalone folder: pages are rendered as upstream renders them.
  }
}

/** Where upstream's `htmlEscapeJsonString` is, in 16.4 and 15.5, and in 16.0. */
const ESCAPERS = ['next/dist/shared/lib/htmlescape', 'next/dist/server/htmlescape']

/** @param {import('./next-package').NextPackage} next @returns {((json: string) => string) | undefined} */
function jsonEscaper(next) {
  for (const id of ESCAPERS) {
    try {
      return next.require(id).htmlEscapeJsonString
    } catch {
      // It is the other one.
    }
  }
  return undefined
}

module.exports = { renderByNodeBuild }
