// In: a version of Next.js. Out: the tarball of `@ferronext/next` of that version, or why there is none.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { distribute } from './distribution.mjs'
import { pack } from './npm.mjs'

const require = createRequire(import.meta.url)
const { loadAddon, platformName } = require('../runtime/process/addon.js')
const { codedError } = require('../runtime/errors.js')

/**
 * What ferronext itself says when it is started beside that version. There it warns of a dangerous one; handing out its files is refused.
 *
 * @param {string[]} folders one of them holds the addon of this machine
 * @returns {import('./next-versions.mjs').Objection}
 */
export function objectionOf(folders) {
  const file = `ferronext.${platformName()}.node`
  const folder = folders.find(name => existsSync(path.join(name, file)))
  if (!folder) {
    throw codedError('FERRONEXT_NO_BINARY', `No ${file} in ${folders.join(' or ')}: \`npm run build\` makes it.`)
  }
  const native = loadAddon(path.resolve(folder))
  return version => {
    try {
      const { advisory } = native.checkVersion(version)
      if (!advisory) return undefined
      const beside = 'There is no @ferronext/next of it; `npm install ferronext` works beside it, and warns.'
      return codedError('FERRONEXT_VULNERABLE_NEXT', `${advisory} ${beside}`)
    } catch (error) {
      return /** @type {Error & { code: string }} */ (error)
    }
  }
}

/**
 * @param {object} options
 * @param {string} options.version a published one
 * @param {string} options.out an existing folder
 * @param {string} options.repository
 * @param {string} options.ferronextVersion
 * @returns {string} the tarball
 */
export function packNext({ version, out, repository, ferronextVersion }) {
  const folder = mkdtempSync(path.join(out, `next-${version}-`))
  try {
    const upstream = pack(`next@${version}`, folder)
    // Every system that builds has it: GNU tar, or bsdtar on macOS and Windows.
    const { status, stderr } = spawnSync('tar', ['-xzf', path.basename(upstream)], { cwd: folder, encoding: 'utf8' })
    if (status !== 0) throw new Error(`tar cannot unpack ${upstream}: ${stderr}`)
    const unpacked = path.join(folder, 'package')
    distribute({ folder: unpacked, repository, ferronextVersion })
    return pack(unpacked, out)
  } finally {
    // 250 MB, and a release has several.
    rmSync(folder, { recursive: true, force: true })
  }
}

/** An error that a user can cause is one line, any other is shown whole. @param {unknown} error */
export function failWith(error) {
  const { code, message } = /** @type {Error & { code?: string }} */ (error)
  if (!code?.startsWith('FERRONEXT_')) throw error
  console.error(`${code}: ${message}`)
  process.exitCode = 1
}
