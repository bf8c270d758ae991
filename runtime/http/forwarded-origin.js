// In: a request from a proxy that is believed. Out: the origin that the client asked, `https://shop.example`, on the request and in
// its headers: `host` and `X-Forwarded-Host`, `-Proto` and `-Port` say the same, so that whoever reads any of them reads that.

/** @typedef {import('./trust-proxy').Request} Request */

/** The origin that a request was sent to as its client knows it, on the request. */
const PUBLIC_ORIGIN = Symbol('ferronext.publicOrigin')

/** Where a proxy says how it was spoken to. Traefik names the protocol of a web socket. */
const PROTOCOLS = /** @type {Record<string, 'http' | 'https'>} */ ({
  http: 'http',
  ws: 'http',
  https: 'https',
  wss: 'https',
})

/** A host with or without a port, and nothing else of a URL. */
const HOST = /^(?<name>\[[\da-f:.]+\]|[^\s,:/?#@\\[\]%]+)(?::(?<port>\d{1,5}))?$/i

/** What was made of the headers of the request before, which most of the time are those of the next one. */
let last = { text: '', origin: /** @type {URL | undefined} */ (undefined) }

/**
 * Takes the origin from the headers; does nothing when none of them says anything of it.
 * @param {Request} req
 * @param {(header: string | undefined) => string | undefined} pick the value of a list that the proxy has written which the client
 *   spoke to
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
