// In: the option `trustProxy` and a request. Out: a request whose `X-Forwarded-*` headers can be trusted: by routing, by server actions (which
// compare `Origin` with `X-Forwarded-Host`) and by the app's own code; with `origin`, its public origin, too.

const { BlockList, isIP } = require('node:net')
const { codedError } = require('../errors')
const { takeOrigin } = require('./forwarded-origin')

/** @typedef {import('node:http').IncomingMessage & Record<PropertyKey, any>} Request */

/** Ranges that have a name, the same names as in Express. */
const NAMED = /** @type {Record<string, string[]>} */ ({
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
})

const PREFIX = 'x-forwarded-'

/**
 * Filters the headers of a request before anything reads them; `undefined` if there is nothing to filter.
 * @param {unknown} option absent or `true`: every client is trusted, as in upstream; `false`: none; an array of addresses
 *   and ranges: those; `{ from, origin }`: `from` is one of these, and with `origin` they name the origin, too
 * @param {(req: Request) => boolean} [isOwn] whether a request comes from this server itself, with headers that have been filtered
 * @returns {((req: Request) => void) | undefined}
 */
function forwardedFilter(option, isOwn = () => false) {
  const { from, origin } = partsOf(option)
  if (from === true) {
    if (!origin) return undefined
    return req => {
      if (!isOwn(req)) takeOrigin(req, leftmost)
    }
  }
  const trusted = compile(from === false ? [] : from)
  return req => {
    if (!origin && !namesForwarded(req)) return
    if (isOwn(req)) return
    if (!isTrusted(trusted, req.socket?.remoteAddress)) return dropForwarded(req)
    const hops = shorten(trusted, req.headers)
    if (origin) takeOrigin(req, list => fromRight(list, hops))
  }
}

/** Whether a trusted proxy names the origin of a request. @param {unknown} option */
const givesOrigin = option => partsOf(option).origin

/**
 * @param {unknown} option
 * @returns {{ from: unknown, origin: boolean }}
 */
function partsOf(option) {
  if (option === undefined) return { from: true, origin: false }
  if (typeof option !== 'object' || option === null || Array.isArray(option)) return { from: option, origin: false }
  const { from, origin = false, ...others } = /** @type {Record<string, unknown>} */ (option)
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw badOption(`knows \`from\` and \`origin\`, not \`${unknown}\``)
  // A trusted client decides the app's origin: no default.
  if (from === undefined) throw badOption('needs `from`: whose headers are believed')
  if (typeof origin !== 'boolean') throw badOption(`takes true or false as \`origin\`, not ${JSON.stringify(origin)}`)
  return { from, origin }
}

/** The value of a list that the farthest proxy has written. @param {string | undefined} list */
const leftmost = list => list?.split(',')[0]?.trim()

/**
 * The value that was written by the proxy `hops` away. A proxy appends to a list, or replaces it, which makes it shorter.
 * @param {string | undefined} list
 * @param {number} hops
 */
function fromRight(list, hops) {
  const values = list?.split(',')
  return values?.[Math.max(0, values.length - hops)]?.trim()
}

/**
 * @param {unknown} option
 * @returns {BlockList} that knows the trusted addresses
 */
function compile(option) {
  const list = typeof option === 'string' ? option.split(',') : option
  if (!Array.isArray(list) || list.some(range => typeof range !== 'string')) {
    throw badOption(
      `takes true, false, a list of addresses and ranges, or { from, origin }, not ${JSON.stringify(option)}`,
    )
  }
  const trusted = new BlockList()
  for (const range of list.flatMap(entry => NAMED[entry.trim()] ?? [entry.trim()])) addRange(trusted, range)
  return trusted
}

/**
 * @param {BlockList} trusted
 * @param {string} range
 */
function addRange(trusted, range) {
  const [address = '', prefix, ...rest] = range.split('/')
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  const bits = isIP(address) === 6 ? 128 : 32
  const valid = isIP(address) !== 0 && rest.length === 0 && (prefix === undefined || /^\d{1,3}$/.test(prefix))
  if (!valid || Number(prefix ?? 0) > bits) {
    throw badOption(`holds ${JSON.stringify(range)}, which is neither an address nor a range such as "10.0.0.0/8"`)
  }
  if (prefix === undefined) trusted.addAddress(address, family)
  else trusted.addSubnet(address, Number(prefix), family)
}

/** @param {string} what */
const badOption = what => codedError('FERRONEXT_BAD_OPTION', `The option \`trustProxy\` of next() ${what}.`)

/**
 * @param {BlockList} trusted
 * @param {string | undefined} address
 */
function isTrusted(trusted, address) {
  const family = isIP(address ?? '')
  // The list matches `::ffff:10.0.0.1`, the form of IPv4 on a dual-stack socket, as IPv4.
  return family !== 0 && trusted.check(/** @type {string} */ (address), family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Whether the client sent any of the headers. Reads the raw list, so that Node need not parse the headers.
 * @param {Request} req
 */
function namesForwarded({ rawHeaders }) {
  if (!rawHeaders) return true // no request of Node's: check the headers one by one
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = /** @type {string} */ (rawHeaders[i])
    if (name.length > PREFIX.length && name.slice(0, PREFIX.length).toLowerCase() === PREFIX) return true
  }
  return false
}

/**
 * Drops what a client says about itself. Pages get the values of the socket.
 * @param {Request} req
 */
function dropForwarded(req) {
  if (!namesForwarded(req)) return
  for (const name of Object.keys(req.headers)) if (name.startsWith(PREFIX)) delete req.headers[name]
}

/**
 * Drops the part of `X-Forwarded-For` that no trusted proxy has written: the first address of the rest is the client.
 * @param {BlockList} trusted
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @returns {number} how many proxies are between the client and here
 */
function shorten(trusted, headers) {
  const value = headers['x-forwarded-for']
  if (value === undefined) return 1
  const chain = String(value)
    .split(',')
    .map(part => part.trim())
  let first = chain.length - 1
  while (first > 0 && isTrusted(trusted, chain[first])) first--
  headers['x-forwarded-for'] = chain.slice(first).join(', ')
  return chain.length - first
}

module.exports = { forwardedFilter, givesOrigin }
