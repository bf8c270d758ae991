// In: `--hostname` and HOSTNAME. Out: the address to listen on, or `undefined` for all of them.

const os = require('node:os')

/** @param {Record<string, any>} values */
function hostnameOf(values) {
  if (values.hostname !== undefined) return values.hostname
  const { HOSTNAME } = process.env
  // Docker and many shells set it to the machine's own name, and nobody has asked for that address.
  return HOSTNAME === undefined || HOSTNAME === '' || HOSTNAME === os.hostname() ? undefined : HOSTNAME
}

module.exports = { hostnameOf }
