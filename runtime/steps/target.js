// In: the URL of an external rewrite. Out: the parts that a connection and a request line need, as upstream's client reads them.

const { parse } = require('node:url')

/**
 * @typedef {object} Target
 * @property {boolean} encrypted
 * @property {string} hostname an IPv6 address in brackets
 * @property {number} port
 * @property {string} host hostname, with the port unless it is the usual one
 * @property {string} path path and search
 * @property {string} href for the log
 */

/**
 * The parser of one version of Next.js. It throws when the text is no URL, as upstream does.
 * @param {Record<string, boolean>} traits
 * @returns {(text: string) => Target}
 */
function targetParser({ legacyProxyTargets, collapsedProxySlashes }) {
  return text => {
    const { protocol, hostname, port, host, pathname, search, href } = new URL(text)
    const encrypted = protocol === 'https:'
    const target = {
      encrypted,
      hostname,
      port: Number(port) || (encrypted ? 443 : 80),
      host,
      path: pathname + search,
      href,
    }
    if (legacyProxyTargets) {
      const legacy = parse(text)
      // Where the two parsers see different servers, somebody is trying to fool one of them.
      if (legacy.hostname !== hostname.replace(/^\[(.*)\]$/, '$1')) throw new TypeError(`Invalid URL: ${text}`)
      target.path = legacy.path || '/'
      target.href = text
    }
    if (collapsedProxySlashes) {
      const [path, ...rest] = target.path.split('?')
      target.path = [path.replace(/\/+/g, '/'), ...rest].join('?')
    }
    return target
  }
}

module.exports = { targetParser }
