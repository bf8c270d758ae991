// In: a request from a trusted proxy. Out: the origin that the client has requested, `https://shop.example`, on the request and in its headers:
// `host` and `X-Forwarded-Host`, `-Proto` and `-Port` all name it.

/** @typedef {import('./trust-proxy').Request} Request */

/** Where a request keeps the origin that its client has requested. */
const PUBLIC_ORIGIN = Symbol('ferronext.publicOrigin')

/** Values of `X-Forwarded-Proto`. Traefik names the protocol of a web socket. */
const PROTOCOLS = /** @type {Record<string, 'http' | 'https'>} */ ({
  http: 'http',
  ws: 'http',
  https: 'https',
  wss: 'https',
})

/** A host with or without a port, and nothing else of a URL. */
const HOST = /^(?<name>\[[\da-f:.]+\]|[^\s,:/?#@\\[\]%]+)(?::(?<port>\d{1,5}))?$/i

/** The result for the last request. Most requests have the same headers. */
let last = { text: '', origin: /** @type {URL | undefined} */ (undefined) }

/**
 * Takes the origin from the headers, if one of them names it.
 * @param {Request} req
 * @param {(header: string | undefined) => string | undefined} pick picks the value of a list that was written by the proxy that the
 *   client is connected to
 */
function takeOrigin(req, pick) {
  const { headers } = req
  const value = (/** @type {string} */ name) => pick(/** @type {string | undefined} */ (headers[name]))
  const [host, proto, port] = [value('x-forwarded-host'), value('x-forwarded-proto'), value('x-forwarded-port')]
  if (!host && !proto && !port) return
  const encrypted = Boolean(/** @type {any} */ (req.socket)?.encrypted)
  const protocol = PROTOCOLS[proto?.toLowerCase() ?? ''] ?? (encrypted ? 'https' : 'http')
  // Load balancers leave `Host` as it was and send no `X-Forwarded-Host`. HTTP/2 has `:authority`.
  const asked = headers.host ?? /** @type {any} */ (req).authority
  const text = `${protocol}\0${host}\0${port}\0${asked}`
  if (text !== last.text) {
    last = { text, origin: urlOf(protocol, host, port) ?? urlOf(protocol, asked, port) }
  }
  const { origin } = last
  if (origin === undefined) return
  req[PUBLIC_ORIGIN] = origin.origin
  headers.host = origin.host
  headers['x-forwarded-host'] = origin.host
  headers['x-forwarded-proto'] = protocol
  headers['x-forwarded-port'] = origin.port || (protocol === 'https' ? '443' : '80')
}

/**
 * @param {string} protocol
 * @param {string | undefined} host
 * @param {string | undefined} port counts where the host has none
 * @returns {URL | undefined} `undefined` when the text is no host
 */
function urlOf(protocol, host, port) {
  const parts = HOST.exec(host ?? '')?.groups
  if (!parts) return undefined
  const text = `${protocol}://${parts.name}`
  const asked = parts.port ?? (/^\d{1,5}$/.test(port ?? '') && Number(port) > 0 ? port : undefined)
  const full = asked === undefined ? text : `${text}:${asked}`
  return URL.canParse(full) ? new URL(full) : URL.canParse(text) ? new URL(text) : undefined
}

module.exports = { PUBLIC_ORIGIN, takeOrigin }
