// In: the React that renders pages. Out: the same React in its build for Node. Upstream renders pages with the build for edge
// runtimes, because that one had web streams first; it encodes each string and each attribute separately, and takes nearly twice as long.
// Upstream waits for the complete page, so the chunks, in which the builds differ, cannot be seen.
// Upstream: next/dist/server/ReactDOMServerPages.js, which announces the same change. The document around the page is rendered
// once (document.js).

const { countFastPath } = require('./metrics')
const { renderingDocumentsOnce } = require('./document')

/** @typedef {import('./metrics').Reason} Reason */

/**
 * The state of each React, by its build for edge runtimes.
 * @type {WeakMap<object, { off?: Reason, renderAsUpstream: (reason: Reason) => void }>}
 */
const replaced = new WeakMap()

/**
 * If React has `renderToReadableStream` in its build for Node, it replaces the one of the other build.
 * @param {import('../../app/state').ServerState} server
 * @returns {Reason | undefined} why it does not
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
 * Restores the React that upstream renders pages with.
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
      // This version has the other one.
    }
  }
  return undefined
}

module.exports = { renderAsUpstream, renderByNodeBuild }
