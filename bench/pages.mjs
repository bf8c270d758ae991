// In: a built copy of the bench app and a number. Out: the same build as if `next build` had prerendered so many articles. Building
// 100,000 pages takes an hour; their entries and files differ in nothing but the name.

import { copyFileSync, linkSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Links to one file; ext4 ends at 65,000. */
const MAX_LINKS = 50_000

/** @param {string} dir @param {number} count */
export function multiplyPages(dir, count) {
  const manifestFile = path.join(dir, '.next/prerender-manifest.json')
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'))
  const entry = JSON.stringify(manifest.routes['/article/0'])
  const folder = path.join(dir, '.next/server/app/article')
  const files = readdirSync(folder).filter(name => /^0\.(html|rsc|meta)$/.test(name))
  const originals = new Map(files.map(name => [name, path.join(folder, name)]))
  for (let at = 1; at < count; at++) {
    manifest.routes[`/article/${at}`] = JSON.parse(entry.replaceAll('/article/0', `/article/${at}`))
    for (const name of files) {
      const file = path.join(folder, name.replace('0', String(at)))
      if (at % MAX_LINKS === 0) {
        copyFileSync(path.join(folder, name), file)
        originals.set(name, file)
      } else linkSync(/** @type {string} */ (originals.get(name)), file)
    }
  }
  writeFileSync(manifestFile, JSON.stringify(manifest))
}
