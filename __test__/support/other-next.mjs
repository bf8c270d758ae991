// A built app beside a `next` that no test has seen: the installed package, copied into the app's own folder, with another version and, if
// wanted, code of its own at the end of a file. Nothing else stands in for it.
import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ensureWorkspace } from './workspace.mjs'

/** What no server in production loads. */
const SPARED = /[\\/]dist[\\/]esm(?:[\\/]|$)|\.map$|\.runtime\.dev\.js$|\.d\.ts$/

/**
 * @param {object} options
 * @param {import('./workspace.mjs').Line} options.line what the app was built with
 * @param {string} options.app folder of the app, a copy
 * @param {string} options.version what the package says it is
 * @param {Record<string, string>} [options.appended] code by file below `next/dist`
 */
export async function giveNext({ line, app, version, appended = {} }) {
  const { dir } = await ensureWorkspace({ line })
  const source = path.join(dir, 'node_modules/next')
  const target = path.join(app, 'node_modules/next')
  cpSync(source, target, { recursive: true, filter: file => !SPARED.test(file.slice(source.length)) })
  const manifest = path.join(target, 'package.json')
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), version }))
  for (const [file, code] of Object.entries(appended)) appendFileSync(path.join(target, 'dist', file), code)
}
