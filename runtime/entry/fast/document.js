// In: the element that upstream renders around a page, with the `_document` of `next`. Out: the same HTML, rendered once for each page: only the
// data of the page differ between requests. Rendering it takes as long as a page of 50 items.
// Upstream: next/dist/pages/_document.js and `renderDocument` of next/dist/server/render.js.
//
// The props of the document are compared with those of the last one; if anything differs, React renders it again. The first time that nothing
// differs, React renders it, too: if the HTML differs, the document depends on something unknown, and the page has no fast path.

/** Marks upstream's own document. A document of the app may do anything; it has the mark at most from its parent class. */
const BUILTIN = '__NEXT_BUILTIN_DOCUMENT__'

/** Props that belong to the request: the data, which are serialised for each request, and props that are checked separately. */
const OF_THE_REQUEST = new Set(['__NEXT_DATA__', 'dangerousAsPath', 'docComponentsRendered'])

/** Compared by identity: their length grows with the app. */
const MANIFESTS = new Set(['buildManifest', 'nextFontManifest'])

/** With one of these a document depends on the request in other ways. AMP: 15.5 only. */
const UNLIKELY = ['ampPath', 'experimentalClientTraceMetadata', 'hybridAmp', 'inAmpMode', 'isDevelopment']

/** How often in a row the document of a page may differ before the fast path is off: its title may come from its data. */
const MAX_MISSES = 16

/** Props are flat; nothing deeper than this is compared. */
const MAX_DEPTH = 12

const SCRIPT = '<script id="__NEXT_DATA__" type="application/json"'

/**
 * @typedef {(element: any, options?: any) => Promise<ReadableStream<Uint8Array> & { allReady: Promise<void> }>} Render React's
 *   `renderToReadableStream`
 *
 * @typedef {object} Shell a document without the data of the page
 * @property {Record<string, any>} made its props, without those of the request
 * @property {unknown} nonce
 * @property {unknown} fonts
 * @property {Record<string, boolean>} rendered the parts that it has
 * @property {string} before
 * @property {string} after
 * @property {boolean} isProven whether React has rendered the same HTML once more
 */

/**
 * @param {Render} render
 * @param {(json: string) => string} escapeJson upstream's, for JSON in a document
 * @param {(page: object, what: string, off?: import('./metrics').Reason) => void} tell reports whether the document of a page is cached
 * @returns {Render}
 */
function renderingDocumentsOnce(render, escapeJson, tell) {
  /** By document, then by page and locale. @type {WeakMap<object, Map<string, Page>>} */
  const documents = new WeakMap()
  /** Pages whose documents are never kept. @type {Set<string>} */
  const left = new Set()
  /** @param {any} element */
  const leave = element => {
    const found = documentIn(element)
    if (found === undefined || left.has(found.page)) return
    left.add(found.page)
    // The app has a document of its own, or an unknown option; otherwise upstream has something unknown around its document.
    tell({}, `${found.page}: its document is rendered each time`, found.depth === 0 ? 'app' : 'version')
  }
  return (element, options) => {
    if (isEmptyFragment(element)) return Promise.resolve(streamOf(''))
    const Document = builtinDocument(element)
    if (Document === undefined) {
      leave(element)
      return render(element, options)
    }
    let pages = documents.get(Document)
    if (pages === undefined) {
      pages = new Map()
      documents.set(Document, pages)
    }
    const { __NEXT_DATA__, locale } = element.props.value
    const name = `${__NEXT_DATA__.page}\0${locale}`
    let page = pages.get(name)
    if (page === undefined) {
      const made = new Page(escapeJson, (kept, off) => tell(made, `${__NEXT_DATA__.page}: its document ${kept}`, off))
      page = made
      pages.set(name, page)
    }
    return page.render(render, element, options)
  }
}

/** The documents of one page. */
class Page {
  #escapeJson
  #tell
  #misses = 0
  /** @type {Shell | undefined} */
  #shell

  /** @param {(json: string) => string} escapeJson @param {(what: string, off?: import('./metrics').Reason) => void} tell */
  constructor(escapeJson, tell) {
    this.#escapeJson = escapeJson
    this.#tell = tell
  }

  /**
   * @param {Render} render
   * @param {any} element
   * @param {any} options
   */
  async render(render, element, options) {
    const made = element.props.value
    const shell = this.#shell
    if (shell !== undefined && isMadeOf(shell, element)) {
      const json = this.#data(made)
      if (json === undefined) return render(element, options)
      const known = shell.before + json + shell.after
      if (!shell.isProven) return this.#prove(shell, known, await render(element, options))
      this.#misses = 0
      Object.assign(made.docComponentsRendered, shell.rendered)
      return streamOf(known)
    }
    const stream = await render(element, options)
    if (this.#misses === MAX_MISSES) return stream
    this.#misses++
    const html = await textOf(stream)
    this.#shell = this.#learn(element, html)
    if (this.#misses === MAX_MISSES) this.#tell('differs too often', 'app')
    return streamOf(html)
  }

  /**
   * @param {Shell} shell
   * @param {string} known the HTML that would be sent
   * @param {Awaited<ReturnType<Render>>} stream what React renders
   */
  async #prove(shell, known, stream) {
    const html = await textOf(stream)
    shell.isProven = html === known
    if (shell.isProven) this.#tell('is kept')
    else {
      this.#shell = undefined
      this.#misses = MAX_MISSES
      this.#tell('has more in it than is known', 'version')
    }
    return streamOf(html)
  }

  /**
   * @param {any} element
   * @param {string} html what it was rendered to
   * @returns {Shell | undefined}
   */
  #learn(element, html) {
    const made = element.props.value
    const json = this.#data(made)
    const script = html.indexOf(SCRIPT)
    if (json === undefined || script === -1) return undefined
    const start = html.indexOf('>', script) + 1
    if (!html.startsWith(`${json}</script>`, start)) return undefined
    return {
      made: partsOf(made),
      nonce: element.props.children.props.nonce,
      fonts: fontsOf(made),
      rendered: { ...made.docComponentsRendered },
      before: html.slice(0, start),
      after: html.slice(start + json.length),
      isProven: false,
    }
  }

  /**
   * The data of the page as they are in the document, or `undefined` if upstream would warn of them.
   * @param {any} made
   */
  #data({ __NEXT_DATA__: data, largePageDataBytes }) {
    // Scripts of the document itself; this one has none.
    data.scriptLoader = []
    try {
      const json = JSON.stringify(data)
      if (largePageDataBytes && Buffer.byteLength(json) > largePageDataBytes) return undefined
      return this.#escapeJson(json)
    } catch {
      return undefined
    }
  }
}

/**
 * The document of an element, if it is upstream's own and all its props are known.
 * @param {any} element
 * @returns {object | undefined}
 */
function builtinDocument(element) {
  const made = element?.props?.value
  if (!made?.__NEXT_DATA__ || !made.docComponentsRendered) return undefined
  const Document = element.props.children?.type
  if (typeof Document !== 'function' || !Object.hasOwn(Document, BUILTIN)) return undefined
  return UNLIKELY.some(name => isSet(made[name])) ? undefined : Document
}

/** Depth of the search for upstream's document. In 15.5 the context of AMP is around it. */
const MAX_WRAPPERS = 3

/** Where in an element a document of any kind is. @param {any} element @returns {{ page: string, depth: number } | undefined} */
function documentIn(element) {
  let inner = element
  for (let depth = 0; depth <= MAX_WRAPPERS && inner?.props; depth++) {
    const page = inner.props.value?.__NEXT_DATA__?.page
    if (page !== undefined) return { page, depth }
    inner = inner.props.children
  }
  return undefined
}

/** @param {unknown} value */
const isSet = value => Boolean(value) && !(Array.isArray(value) && value.length === 0)

/** The fonts of the page; upstream finds them by its path. @param {any} made */
const fontsOf = made => made.nextFontManifest?.pages[made.dangerousAsPath]

/**
 * @param {Shell} shell
 * @param {any} element
 */
function isMadeOf({ made, nonce, fonts }, element) {
  const other = element.props.value
  if (nonce !== element.props.children.props.nonce || fonts !== fontsOf(other)) return false
  const names = Object.keys(other).filter(isCompared)
  return (
    names.length === Object.keys(made).length &&
    names.every(name => (MANIFESTS.has(name) ? made[name] === other[name] : isSame(made[name], other[name], 0)))
  )
}

/** @param {string} name */
const isCompared = name => !OF_THE_REQUEST.has(name)

/** The props that are kept: without those of the request. @param {Record<string, any>} made */
const partsOf = made => Object.fromEntries(Object.entries(made).filter(([name]) => isCompared(name)))

/**
 * Whether two values are equal: strings, arrays, sets, and objects such as React's elements.
 * @param {any} a
 * @param {any} b
 * @param {number} depth
 * @returns {boolean}
 */
function isSame(a, b, depth) {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth === MAX_DEPTH) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (Array.isArray(a)) return a.length === b.length && a.every((each, at) => isSame(each, b[at], depth + 1))
  if (a instanceof Set) return a.size === b.size && [...a].every(each => b.has(each))
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => isSame(a[name], b[name], depth + 1))
}

/** The element that upstream renders for a page without styled-jsx. @param {any} element */
function isEmptyFragment(element) {
  if (element?.type !== FRAGMENT || element.key !== null) return false
  const { children } = element.props
  return Array.isArray(children) && children.length === 0
}

const FRAGMENT = Symbol.for('react.fragment')

/** @param {Awaited<ReturnType<Render>>} stream */
async function textOf(stream) {
  await stream.allReady
  return new Response(stream).text()
}

/**
 * The result of React for this HTML.
 * @param {string} html
 */
function streamOf(html) {
  const stream = new ReadableStream({
    start(controller) {
      if (html !== '') controller.enqueue(Buffer.from(html))
      controller.close()
    },
  })
  return Object.assign(stream, { allReady: Promise.resolve() })
}

module.exports = { renderingDocumentsOnce }
