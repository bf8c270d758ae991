// In: `--hostname` and HOSTNAME. Out: the address to listen on, or `undefined` for all of them.

const { isIP } = require('node:net')
const os = require('node:os')

/** @param {Record<string, any>} values */
function hostnameOf(values) {
  if (values.hostname !== undefined) return values.hostname
  const { HOSTNAME = '' } = process.env
  // Docker, Kubernetes and many shells set it to a name of the machine, by which it need not know itself, and nobody has asked for
  // that address. `next start` does not look at it.
  const isAddress = isIP(HOSTNAME) !== 0 || HOSTNAME === 'localhost'
  return isAddress && HOSTNAME !== os.hostname() ? HOSTNAME : undefined
}

module.exports = { hostnameOf }
