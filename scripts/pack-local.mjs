// `npm run pack:local`: builds the addon in release mode and packs it with the JavaScript into one tarball that installs
// into any app on this platform. The last line printed is the path of the tarball. `--quick` as in build.mjs.
//
//   npm run pack:local -- --next 16.4.3 [--next ...]
//
// also packs `@ferronext/next` of that version, for a version of which the registry has none. It is printed before, and installed with
// the other: it asks for a `ferronext` of this version. A dangerous version is refused as for a release: its files are not handed out, and
// what ferronext does with it can be tried with the other tarball beside `next`.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkVersions } from './next-versions.mjs'
import { pack, publishedVersions } from './npm.mjs'
import { failWith, objectionOf, packNext } from './pack-next.mjs'

const HELP = `npm run pack:local -- [--quick] [--next <version of Next.js>]

Packs ferronext with the addon of this machine. The last line is the path of the tarball.
  --quick           builds without the slow optimisation of the link
  --next <version>  packs @ferronext/next of that version too; once for each version`

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    next: { type: 'string', multiple: true, default: [] },
    debug: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit()
}

function build() {
  const flags = [values.debug ? ['--debug'] : [], values.quick ? ['--quick'] : []].flat()
  const { status, error } = spawnSync(process.execPath, ['scripts/build.mjs', ...flags], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** @param {string} out @returns {string[]} tarballs of `@ferronext/next` */
function packNexts(out) {
  if (values.next.length === 0) return []
  checkVersions(values.next, publishedVersions('next'), objectionOf([root]))
  const ferronextVersion = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version
  return values.next.map(version => packNext({ version, out, repository: root, ferronextVersion }))
}

try {
  build()
  const out = path.join(root, 'dist')
  mkdirSync(out, { recursive: true })
  const nexts = packNexts(out)
  const ferronext = pack(root, out)
  for (const next of nexts) {
    console.error(`To install into an app: npm install ${ferronext} next@file:${next}`)
    console.log(next)
  }
  console.log(ferronext)
} catch (error) {
  failWith(error)
}
