// In: the React that pages are rendered with. Out: the same React in its build for Node. Upstream renders pages with the build for edge
// runtimes, because that one had web streams first; it encodes each text and each attribute by itself, and takes nearly twice as long.
// Upstream waits for the whole page before it reads any of it, so that the chunks, in which the builds differ, cannot be seen.
// Upstream: next/dist/server/ReactDOMServerPages.js, which says that it means to do the same. Around the page goes a document, which is
// rendered once (lean-document.js).

const { countFastPath } = require('./metrics')
const { renderingDocumentsOnce } = require('./document')

/** @typedef {import('./metrics').Reason} Reason */

/**
 * What became of each React, by its build for edge runtimes.
 * @type {WeakMap<object, { off?: Reason, renderAsUpstream: (reason: Reason) => void }>}
 */
const replaced = new WeakMap()

/**
 * Where React has `renderToReadableStream` in its build for Node, it takes the place of that in the other.
 * @param {import('../../app/state').ServerState} server
 * @returns {Reason | undefined} why it has not
 */
function renderByNodeBuild({ next, native }) {
  try {
    const edge = next.load('reactDomEdge')
    let become = replaced.get(edge)
    if (become === undefined) {
      become = replace(next, native, edge)
      replaced.set(edge, become)
    }
    return become.off
  } catch {
    // A React without one of the two, or a standalone folder: pages are rendered as upstream renders them.
    return 'app'
  }
}

/**
 * @param {import('../../next/package').NextPackage} next
 * @param {typeof import('../../native')} native
 * @param {any} edge
 */
function replace(next, native, edge) {
  const node = next.load('reactDomNode')
  if (edge.version !== node.version || typeof node.renderToReadableStream !== 'function') {
    return { off: /** @type {Reason} */ ('app'), renderAsUpstream: () => {} }
  }
  const upstreams = edge.renderToReadableStream
  const render = node.renderToReadableStream
  const escapeJson = jsonEscaper(next)
  /** The pages whose documents are counted. @type {Set<object>} */
  const pages = new Set()
  /** @param {object} page @param {string} text @param {Reason} [off] */
  const told = (page, text, off) => {
    native.trace('render', text)
    pages.add(page)
    countFastPath(native, page, 'document', off)
  }
  if (!escapeJson) countFastPath(native, edge, 'document', 'version')
  edge.renderToReadableStream = escapeJson ? renderingDocumentsOnce(render, escapeJson, told) : render
  return {
    /** @param {Reason} reason */
    renderAsUpstream(reason) {
      edge.renderToReadableStream = upstreams
      for (const page of pages) countFastPath(native, page, 'document', reason)
      this.off = reason
    },
    off: /** @type {Reason | undefined} */ (undefined),
  }
}

/**
 * Gives pages the React back that upstream renders them with.
 * @param {import('../../app/state').ServerState} server
 * @param {Reason} reason
 */
function renderAsUpstream({ next }, reason) {
  try {
    replaced.get(next.load('reactDomEdge'))?.renderAsUpstream(reason)
  } catch {
    // Nothing was replaced.
  }
}

/** @param {import('../../next/package').NextPackage} next @returns {((json: string) => string) | undefined} */
function jsonEscaper(next) {
  for (const load of [() => next.load('htmlEscape'), () => next.load('htmlEscapeOlder')]) {
    try {
      return load().htmlEscapeJsonString
    } catch {
      // It is the other one.
    }
  }
  return undefined
}

module.exports = { renderAsUpstream, renderByNodeBuild }
