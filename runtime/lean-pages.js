// In: the React that pages are rendered with. Out: the same React in its build for Node. Upstream renders pages with the build for edge
// runtimes, because that one had web streams first; it encodes each text and each attribute by itself, and takes nearly twice as long.
// Upstream waits for the whole page before it reads any of it, so that the chunks, in which the builds differ, cannot be seen.
// Upstream: next/dist/server/ReactDOMServerPages.js, which says that it means to do the same.

/** @type {WeakSet<object>} */
const replaced = new WeakSet()

/**
 * Where React has `renderToReadableStream` in its build for Node, it takes the place of that in the other.
 * @param {import('./next-package').NextPackage} next
 */
function renderByNodeBuild(next) {
  try {
    const edge = next.require('react-dom/server.edge')
    if (replaced.has(edge)) return
    replaced.add(edge)
    const node = next.require('react-dom/server.node')
    if (edge.version === node.version && typeof node.renderToReadableStream === 'function') {
      edge.renderToReadableStream = node.renderToReadableStream
    }
  } catch {
    // A React without one of the two, or a standalone folder: pages are rendered as upstream renders them.
  }
}

module.exports = { renderByNodeBuild }
