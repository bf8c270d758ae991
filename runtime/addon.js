// In: the package folder. Out: the native addon for this platform: the one built beside index.js, or the platform package.

const { existsSync } = require('node:fs')
const path = require('node:path')
const { codedError } = require('./errors')

/** `linux-x64-gnu`, `darwin-arm64`, … : the names that platform packages carry. */
function platformName() {
  const { platform, arch } = process
  if (platform === 'linux') return `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}`
  if (platform === 'win32') return `win32-${arch}-msvc`
  return `${platform}-${arch}`
}

/** A glibc build of Node reports the version of glibc it runs on. */
function isMusl() {
  const report = /** @type {any} */ (process.report?.getReport())
  return report?.header?.glibcVersionRuntime === undefined
}

/**
 * @param {string} root folder of the ferronext package
 * @returns {any}
 */
function loadAddon(root) {
  const name = platformName()
  const local = path.join(root, `ferronext.${name}.node`)
  const target = existsSync(local) ? local : `@ferronext/${name}`
  try {
    return require(target)
  } catch (cause) {
    throw codedError(
      'FERRONEXT_NO_BINARY',
      `ferronext has no native addon for ${name} (looked for ${local} and the package @ferronext/${name}). Install with optional dependencies enabled, or build it with \`npm run build\` in a checkout of ferronext.`,
      cause,
    )
  }
}

module.exports = { loadAddon, platformName }
