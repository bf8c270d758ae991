// `ferronext build-addon`: builds the addon from the source in this package, where there is none for the platform, and puts it
// where the loader looks first. Needs Rust.

const { spawnSync } = require('node:child_process')
const { copyFileSync, existsSync, mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { loadAddon, platformName } = require('../../runtime/process/addon')
const { codedError } = require('../../runtime/errors')

const root = path.join(__dirname, '../..')

/** @type {Partial<Record<NodeJS.Platform, string>>} */
const LIBRARY = { linux: 'libferronext.so', darwin: 'libferronext.dylib', win32: 'ferronext.dll' }

function run() {
  // Its own folder: the package may lie where nothing but this one file should appear.
  const own = process.env.CARGO_TARGET_DIR ? undefined : mkdtempSync(path.join(tmpdir(), 'ferronext-build-'))
  const target = process.env.CARGO_TARGET_DIR ?? /** @type {string} */ (own)
  try {
    const { error, status } = spawnSync('cargo', ['build', '--release', '--locked', '--lib'], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, CARGO_TARGET_DIR: target },
    })
    if (error) {
      throw codedError(
        'FERRONEXT_NO_BINARY',
        'cargo is missing. Install Rust from https://rustup.rs and try again.',
        error,
      )
    }
    const built = path.join(target, 'release', LIBRARY[process.platform] ?? 'libferronext.so')
    if (status !== 0 || !existsSync(built)) {
      throw codedError(
        'FERRONEXT_NO_BINARY',
        `cargo ended with ${status} and left no ${built}. What it printed says why.`,
      )
    }
    const addon = path.join(root, `ferronext.${platformName()}.node`)
    copyFileSync(built, addon)
    loadAddon(root)
    console.log(addon)
  } finally {
    if (own) rmSync(own, { recursive: true, force: true })
  }
}

module.exports = { options: {}, run }
