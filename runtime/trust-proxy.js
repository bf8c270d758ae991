// In: the option `trustProxy` and a request. Out: a request whose `X-Forwarded-*` headers may be believed: by routing, by
// server actions (which compare `Origin` with `X-Forwarded-Host`) and by the app's own code.

const { BlockList, isIP } = require('node:net')
const { codedError } = require('./errors')

/** @typedef {import('node:http').IncomingMessage & Record<PropertyKey, any>} Request */

/** Ranges that have a name, the same names as in Express. */
const NAMED = /** @type {Record<string, string[]>} */ ({
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
})

const PREFIX = 'x-forwarded-'

/**
 * What has to happen to a request before anybody reads it; `undefined` when nothing has to.
 * @param {unknown} option absent or `true`: every client is believed, as upstream does; `false`: nobody is; a list of
 *   addresses and ranges: those are
 * @returns {((req: Request) => void) | undefined}
 */
function forwardedFilter(option) {
  if (option === undefined || option === true) return undefined
  if (option === false) return dropForwarded
  const trusted = compile(option)
  return req => {
    if (!isTrusted(trusted, req.socket?.remoteAddress)) dropForwarded(req)
    else if (namesForwarded(req)) shorten(trusted, req.headers)
  }
}

/**
 * @param {unknown} option
 * @returns {BlockList} that knows the trusted addresses
 */
function compile(option) {
  const list = typeof option === 'string' ? option.split(',') : option
  if (!Array.isArray(list) || list.some(range => typeof range !== 'string')) {
    throw badOption(`takes true, false or a list of addresses and ranges, not ${JSON.stringify(option)}`)
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
  // The list knows `::ffff:10.0.0.1`, the form of IPv4 on a socket for both, as the address it stands for.
  return family !== 0 && trusted.check(/** @type {string} */ (address), family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Whether the client sent any of the headers. A look at the raw list, so that the rest of the request stays unparsed.
 * @param {Request} req
 */
function namesForwarded({ rawHeaders }) {
  if (!rawHeaders) return true // no request of Node's; its headers are looked at one by one
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = /** @type {string} */ (rawHeaders[i])
    if (name.length > PREFIX.length && name.slice(0, PREFIX.length).toLowerCase() === PREFIX) return true
  }
  return false
}

/**
 * Takes away what a client says about itself; the socket's word takes its place where a page asks for it.
 * @param {Request} req
 */
function dropForwarded(req) {
  if (!namesForwarded(req)) return
  for (const name of Object.keys(req.headers)) if (name.startsWith(PREFIX)) delete req.headers[name]
}

/**
 * Cuts from the left of `X-Forwarded-For` what no trusted proxy has written: the first address that is left is the client.
 * @param {BlockList} trusted
 * @param {import('node:http').IncomingHttpHeaders} headers
 */
function shorten(trusted, headers) {
  const value = headers['x-forwarded-for']
  if (value === undefined) return
  const chain = String(value)
    .split(',')
    .map(part => part.trim())
  let first = chain.length - 1
  while (first > 0 && isTrusted(trusted, chain[first])) first--
  headers['x-forwarded-for'] = chain.slice(first).join(', ')
}

module.exports = { forwardedFilter }
