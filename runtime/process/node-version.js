// In: the running Node. Out: nothing, or one error that names the version that is needed. Loaded before everything else, and
// without syntax that old versions cannot read.

/** The same as `engines` in package.json, and upstream's own. */
const NEEDED = [20, 9]

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  const error = new Error(
    `ferronext needs Node.js ${NEEDED.join('.')} or later, and ${process.execPath} is ${process.versions.node}. Install a newer Node.js, from https://nodejs.org for instance.`,
  )
  throw Object.assign(error, { code: 'FERRONEXT_UNSUPPORTED_NODE' })
}
