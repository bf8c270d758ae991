// Publishes the tarballs that pack-release.mjs printed, one a line on stdin, in that order: who installs in between finds what it needs.
// What is in the registry already is left: a version of Next.js that an earlier release carried, and what an attempt before this
// one published. Arguments go to `npm publish`.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { distTag } from './next-versions.mjs'
import { npm, publishedVersions } from './npm.mjs'

const tarballs = readFileSync(0, 'utf8').split('\n').filter(Boolean)
if (tarballs.length === 0) throw new Error('There is nothing to publish.')

for (const tarball of tarballs) {
  const { stdout } = spawnSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })
  const { name, version } = JSON.parse(stdout)
  const published = publishedVersions(name)
  if (published.includes(version)) {
    console.log(`${name}@${version} is published`)
    continue
  }
  npm(['publish', tarball, '--tag', distTag(version, published), ...process.argv.slice(2)], process.cwd())
  console.log(`${name}@${version}`)
}
