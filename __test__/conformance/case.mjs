// Constructors, so that a case is one readable line, and the placeholders that a build fills in.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * @typedef {object} Step one request of a case
 * @property {string} [method]
 * @property {string} [target] `{buildId}`, `{chunk}`, `{css}`, `{action}`, `{previewId}` stand for the build's values,
 *   `{targetPort}` for the port of the other server
 * @property {Record<string, string> | [string, string][]} [headers]
 * @property {string | Buffer} [body]
 * @property {string | Buffer} [bytes] the whole request, byte by byte, instead of the above
 * @property {string[]} [pipelined] methods of the answers that `bytes` asks for, when it holds several requests
 * @property {boolean} [abort] go away after the first bytes of the body instead of reading it all
 * @property {number} [wait] ms to wait before the request, where the clock itself is the subject
 * @property {RegExp} [until] the request is repeated until the answer, head and body, matches; only the last one counts
 * @property {number} [timeout] in ms, for a request that gets no answer
 * @property {Record<string, string>} [cookies] sent along; a value of `*` is what the server set before in this case
 * @property {RegExp[]} [mask] parts of the body that upstream itself does not repeat
 */
/**
 * @typedef {object} Case
 * @property {string} name
 * @property {Step[]} steps in this order
 * @property {RegExp} [log] both servers print a matching line
 * @property {RegExp} [logSinceStart] both servers have printed a matching line, at any time
 * @property {string[]} [shows] capabilities (src/build/capabilities.rs), by the names that JavaScript has for them, without which its answers would differ
 * @property {boolean} [alone] touches what other cases of its suite look at, so it waits for them even where cases overlap
 */

/** @typedef {Omit<Step, 'target' | 'method'> & Pick<Case, 'log' | 'logSinceStart'> & { method?: string, note?: string }} Options */

/**
 * @param {string} target
 * @param {Options} [options]
 * @returns {Case}
 */
export function get(target, { log, logSinceStart, note, ...step } = {}) {
  const request = { method: 'GET', target, ...step }
  return { name: nameOf(request, note), steps: [request], log, logSinceStart }
}

/** One request with several methods. @param {string[]} methods @param {string} target @param {Options} [options] */
export const each = (methods, target, options) => methods.map(method => get(target, { ...options, method }))

/** Several paths. @param {string[]} paths @param {Options} [options] */
export const all = (paths, options) => paths.map(path => get(path, options))

/** @param {string} target @param {Options} [options] */
export const head = (target, options) => get(target, { ...options, method: 'HEAD' })

/** @param {string} target @param {string | Buffer} body @param {Options} [options] */
export const post = (target, body = '', options = {}) => get(target, { method: 'POST', body, ...options })

/** Several requests in order, on each server. @param {string} name @param {Case[]} cases @param {Pick<Case, 'log' | 'alone'>} [options] */
export const sequence = (name, cases, options = {}) => ({
  name,
  steps: cases.flatMap(({ steps }) => steps),
  ...options,
})

/** Cases that show capabilities. @param {string[]} names @param {Case[]} cases @returns {Case[]} */
export const showing = (names, cases) => cases.map(test => ({ ...test, shows: [...(test.shows ?? []), ...names] }))

/** Bytes as they are. @param {string} name @param {string} bytes @param {Partial<Step & Case>} [options] @returns {Case} */
export const raw = (name, bytes, { log, ...step } = {}) => ({ name, steps: [{ ...step, bytes }], log })

/**
 * An RSC request as the browser sends it, with the `_rsc` that belongs to its headers.
 *
 * @param {string} target
 * @param {Record<string, string>} [headers]
 * @param {Options} [options]
 */
export function rsc(target, headers = {}, options = {}) {
  const all = { rsc: '1', ...headers }
  const hash = rscHash(all)
  return get(`${target}${target.includes('?') ? '&' : '?'}_rsc${hash && `=${hash}`}`, { ...options, headers: all })
}

/** A segment prefetch. @param {string} target @param {string} segment @param {Record<string, string>} [headers] */
export const segment = (target, segment, headers = {}) =>
  rsc(target, { 'next-router-prefetch': '1', 'next-router-segment-prefetch': segment, ...headers })

/** @param {Record<string, string>} headers */
function rscHash(headers) {
  const names = ['next-router-prefetch', 'next-router-segment-prefetch', 'next-router-state-tree', 'next-url']
  const values = names.map(name => headers[name] ?? '0')
  if (values.every(value => value === '0')) return ''
  return createHash('sha256').update(values.join(',')).digest().subarray(0, 12).toString('base64url')
}

/**
 * @param {Step} step
 * @param {string} [note]
 */
function nameOf({ method, target = '', headers = {}, body }, note) {
  const list = Array.isArray(headers) ? headers : Object.entries(headers)
  const shown = list.map(([name, value]) => ` ${name}: ${shorten(value)}`).join(';')
  const size = body === undefined ? '' : ` (${body.length} bytes)`
  return `${method} ${shorten(target)}${size}${shown && ` |${shown}`}${note ? ` | ${note}` : ''}`
}

/** @param {string} text */
const shorten = text => {
  const printable = JSON.stringify(text).slice(1, -1)
  return printable.length > 90 ? `${printable.slice(0, 60)}…(${text.length})` : printable
}

/**
 * What the placeholders stand for in one build.
 *
 * @param {string} dist the build folder
 * @returns {Record<string, string>}
 */
export function placeholders(dist) {
  const read = (/** @type {string} */ name) => readFileSync(path.join(dist, name), 'utf8')
  const assets = /** @type {string[]} */ (readdirSync(path.join(dist, 'static'), { recursive: true }))
    .map(name => name.replaceAll(path.sep, '/'))
    .sort()
  const asset = (/** @type {string} */ extension) =>
    `_next/static/${assets.find(name => name.endsWith(extension)) ?? '-'}`
  // An app without the App Router has no such file in 15.5.
  const references = 'server/server-reference-manifest.json'
  const actions = existsSync(path.join(dist, references)) ? (JSON.parse(read(references)).node ?? {}) : {}
  return {
    buildId: read('BUILD_ID').trim(),
    previewId: JSON.parse(read('prerender-manifest.json')).preview.previewModeId,
    action: Object.keys(actions)[0] ?? 'none',
    chunk: asset('.js'),
    css: asset('.css'),
    media: asset('.png'),
  }
}

/**
 * `{etag:/path}` is the ETag that upstream gives for that path, `{bareEtag:/path}` the same without its quotes, and
 * `{ownEtag:/path}` the one that the server itself gives which is asked.
 */
const ETAG = /\{(etag|bareEtag|ownEtag):([^{}]+)\}/g

/**
 * The paths whose ETags a step needs.
 *
 * @param {Step} step already filled with everything else
 */
export const etagPaths = step => [...JSON.stringify(step.headers ?? '').matchAll(ETAG)].map(match => match[2] ?? '')

/**
 * @param {Step} step
 * @param {Record<string, string>} values
 * @param {Map<string, string>} [etags] upstream's, by path
 * @param {Map<string, string>} [ownEtags] those of the server that is asked
 * @returns {Step}
 */
export function fill(step, values, etags, ownEtags = etags) {
  const replace = (/** @type {string} */ text) => {
    const filled = text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? (values[name] ?? whole) : whole))
    if (!etags) return filled
    return filled.replace(ETAG, (_, kind, path) => {
      const etag = (kind === 'ownEtag' ? ownEtags : etags)?.get(path) ?? '"none"'
      return kind === 'bareEtag' ? etag.replaceAll('"', '') : etag
    })
  }
  const { target, headers, body, bytes } = step
  return {
    ...step,
    ...(target !== undefined && { target: replace(target) }),
    ...(headers && {
      headers: Array.isArray(headers)
        ? headers.map(([name, value]) => /** @type {[string, string]} */ ([name, replace(value)]))
        : Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, replace(value)])),
    }),
    ...(typeof body === 'string' && { body: replace(body) }),
    ...(typeof bytes === 'string' && { bytes: replace(bytes) }),
  }
}
