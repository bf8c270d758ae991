// A copy of the `developed` fixture that may be edited while a server runs on it.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureWorkspace, installFerronext } from './workspace.mjs'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const servers = fileURLToPath(new URL('../servers/', import.meta.url))

/**
 * @param {string} name
 * @param {import('./workspace.mjs').Line} [line]
 */
export async function developedApp(name, line = '16.4') {
  const workspace = await ensureWorkspace({ line })
  await installFerronext(workspace.dir)
  const dir = path.join(workspace.dir, 'apps', `${name}-${process.pid}`)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  cpSync(path.join(fixtures, 'developed'), dir, { recursive: true })
  cpSync(path.join(servers, 'dev.mjs'), path.join(dir, 'dev.mjs'))
  return {
    dir,
    /** The `ferronext` command as the app has it. */
    command: path.join(workspace.dir, 'node_modules/ferronext/bin/ferronext.js'),
    /** @param {string} file @param {string} text */
    write: (file, text) => writeFileSync(path.join(dir, file), text),
    /** @param {string} file @param {string | RegExp} from @param {string} to */
    edit(file, from, to) {
      const target = path.join(dir, file)
      const before = readFileSync(target, 'utf8')
      const after = before.replace(from, to)
      if (after === before) throw new Error(`${file} has nothing to replace: ${from}`)
      writeFileSync(target, after)
    },
    remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  }
}
