// In: the package folder. Out: the native addon for this platform: the one built beside index.js, or the platform package.

const { closeSync, existsSync, openSync, readSync } = require('node:fs')
const path = require('node:path')
const { codedError } = require('../errors')

/**
 * The platform packages. Each name is written out, because tools that trace or bundle an app (`output: 'standalone'`, nft)
 * follow only what they can read.
 * @type {Record<string, () => any>}
 */
const PACKAGES = {
  'linux-x64-gnu': () => require('@ferronext/linux-x64-gnu'),
  'linux-x64-musl': () => require('@ferronext/linux-x64-musl'),
  'linux-arm64-gnu': () => require('@ferronext/linux-arm64-gnu'),
  'linux-arm64-musl': () => require('@ferronext/linux-arm64-musl'),
  'darwin-x64': () => require('@ferronext/darwin-x64'),
  'darwin-arm64': () => require('@ferronext/darwin-arm64'),
  'win32-x64-msvc': () => require('@ferronext/win32-x64-msvc'),
}

/** `linux-x64-gnu`, `darwin-arm64`, … : the names that platform packages carry. */
function platformName() {
  const { platform, arch } = process
  if (platform === 'linux') return `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}`
  if (platform === 'win32') return `win32-${arch}-msvc`
  return `${platform}-${arch}`
}

/** Bytes at the start of the Node executable that contain the name of its loader, on any Linux. */
const INTERPRETER_WITHIN = 4096

/**
 * The loader of an executable shows the libc that it was built for. Node's own report takes 5 to 13 ms; it is used only for a Node that
 * names neither loader.
 */
function isMusl() {
  try {
    const file = openSync(process.execPath, 'r')
    const head = Buffer.alloc(INTERPRETER_WITHIN)
    try {
      readSync(file, head, 0, head.length, 0)
    } finally {
      closeSync(file)
    }
    const loader = /ld-(musl|linux)/.exec(head.toString('latin1'))
    if (loader) return loader[1] === 'musl'
  } catch {
    // A program that may not be read.
  }
  const report = /** @type {any} */ (process.report?.getReport())
  return report?.header?.glibcVersionRuntime === undefined
}

/**
 * @param {string} root folder of the ferronext package
 * @returns {typeof import('../native')}
 */
function loadAddon(root) {
  const name = platformName()
  const local = path.join(root, `ferronext.${name}.node`)
  const isLocal = existsSync(local)
  if (!isLocal && !(name in PACKAGES)) {
    throw codedError(
      'FERRONEXT_NO_BINARY',
      `ferronext has no prebuilt addon for ${name}; there are ${Object.keys(PACKAGES).join(', ')}. ${FROM_SOURCE}`,
    )
  }
  try {
    return isLocal ? require(local) : PACKAGES[name]()
  } catch (cause) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (cause)
    const missing = code === 'MODULE_NOT_FOUND' && message.includes(`@ferronext/${name}`)
    const problem = missing
      ? `the package @ferronext/${name} is not installed. Install again without \`--omit=optional\` (\`--no-optional\`), on the platform that the app runs on: a lockfile or a node_modules folder from another one may leave it out`
      : `${isLocal ? local : `the addon of @ferronext/${name}`} cannot be loaded: ${message.split('\n')[0]}`
    throw codedError('FERRONEXT_NO_BINARY', `ferronext has no addon for ${name}: ${problem}. ${FROM_SOURCE}`, cause)
  }
}

/** What is left where no package fits. */
const FROM_SOURCE =
  'With Rust (https://rustup.rs) installed, `npx ferronext build-addon` builds it from the source that came with the package.'

module.exports = { loadAddon, platformName, platformNames: Object.keys(PACKAGES) }
