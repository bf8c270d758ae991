// In: a version of Next.js and files of its package. Out: a folder with those files, without installing it: some seconds in place of
// half a minute and 600 MB.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { pack } from '../../scripts/npm.mjs'
import { withLock } from './lock.mjs'
import { progress, runCommand } from './run-command.mjs'
import { testRoot } from './workspace.mjs'

/**
 * @param {string} version
 * @param {string[]} files
 * @returns {Promise<string>} do not change it, change a copy
 */
export async function upstreamFiles(version, files) {
  const hash = createHash('sha256').update(files.join()).digest('hex').slice(0, 8)
  const dir = path.join(testRoot(), `upstream-${version}-${hash}`)
  if (existsSync(dir)) return dir
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(dir)) return
    progress(`unpacking ${files.length} files of next@${version}`)
    const staging = `${dir}.tmp`
    rmSync(staging, { recursive: true, force: true })
    mkdirSync(staging, { recursive: true })
    const tarball = path.basename(pack(`next@${version}`, staging))
    await runCommand('tar', ['-xzf', tarball, ...files.map(file => `package/${file}`)], { cwd: staging })
    renameSync(path.join(staging, 'package'), dir)
    rmSync(staging, { recursive: true, force: true })
  })
  return dir
}
