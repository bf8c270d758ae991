// A `next` that no test has seen, for a built app: a copy of the installed package with another version and, if wanted, code of its own at the
// end of a file. Nothing else stands in for it.
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { withLock } from './lock.mjs'
import { ensureWorkspace } from './workspace.mjs'

/** What no server in production loads. */
const SPARED = /[\\/]dist[\\/](?:esm|docs)(?:[\\/]|$)|\.map$|\.runtime\.dev\.js$|\.d\.ts$/

/**
 * @typedef {object} OtherNext
 * @property {import('./workspace.mjs').Line} line what is copied, and what apps were built with
 * @property {string} version what the package says it is
 * @property {Record<string, string>} [appended] code by file below `next/dist`
 */

/**
 * Puts the package between an app and the one of its workspace. Copies are kept between runs, as built fixtures are.
 *
 * @param {string} app folder of the app
 * @param {OtherNext} other
 */
export async function giveNext(app, other) {
  const target = await otherNext(other)
  mkdirSync(path.join(app, 'node_modules'))
  symlinkSync(target, path.join(app, 'node_modules/next'), 'junction')
}

/** @param {OtherNext} other */
async function otherNext({ line, version, appended = {} }) {
  const { dir } = await ensureWorkspace({ line })
  const hash = createHash('sha256')
    .update(JSON.stringify([version, appended]))
    .digest('hex')
    .slice(0, 10)
  // Below the workspace, so that it finds the same React.
  const folder = path.join(dir, `other-next-${hash}`)
  const target = path.join(folder, 'node_modules/next')
  const marker = path.join(folder, '.copied')
  if (existsSync(marker)) return target
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(marker)) return
    rmSync(folder, { recursive: true, force: true })
    const source = path.join(dir, 'node_modules/next')
    cpSync(source, target, { recursive: true, filter: file => !SPARED.test(file.slice(source.length)) })
    const manifest = path.join(target, 'package.json')
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), version }))
    for (const [file, code] of Object.entries(appended)) appendFileSync(path.join(target, 'dist', file), code)
    writeFileSync(marker, `${version}\n`)
  })
  return target
}
