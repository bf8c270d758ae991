// A command of the repository, with its output shown while it comes, and kept.

import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env] beside this process's own
 * @returns {Promise<{ status: number, output: string }>}
 */
export function run(command, args, env = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
      process.stdout.write(chunk)
    })
    child.on('error', error => {
      console.error(`Cannot run ${command}: ${error.message}`)
      resolve({ status: 1, output })
    })
    child.on('close', status => resolve({ status: status ?? 1, output }))
  })
}
