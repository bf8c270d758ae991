// In: `--hostname` and HOSTNAME. Out: the address to listen on, or `undefined` for all of them.

const { isIP } = require('node:net')
const os = require('node:os')

/** @param {Record<string, any>} values */
function hostnameOf(values) {
  if (values.hostname !== undefined) return values.hostname
  const { HOSTNAME = '' } = process.env
  // Docker, Kubernetes and many shells set it to the name of the machine, which need not resolve there and is no request to listen on
  // that address. `next start` does not read it.
  const isAddress = isIP(HOSTNAME) !== 0 || HOSTNAME === 'localhost'
  return isAddress && HOSTNAME !== os.hostname() ? HOSTNAME : undefined
}

module.exports = { hostnameOf }
