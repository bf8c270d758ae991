// A program that goes on running: its output while it comes, its end and its exit code.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

/**
 * @typedef {object} Running
 * @property {number} pid
 * @property {() => string} output everything printed so far, stdout and stderr as they came
 * @property {(pattern: RegExp, from?: number, timeout?: number) => Promise<boolean>} printed waits until the output
 *   after character `from` matches; false after `timeout` ms
 * @property {(signal: NodeJS.Signals) => void} signal
 * @property {Promise<number | NodeJS.Signals | null>} ended the exit code, or the signal that killed it
 * @property {() => Promise<void>} stop SIGTERM, and SIGKILL when that does not help
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
// A test run that ends early must not leave servers behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Running}
 */
export function startCommand(command, args, { cwd, env = process.env }) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  /** @type {Set<() => void>} */
  const listeners = new Set()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
      for (const listener of listeners) listener()
    })
  }
  /** @type {Running['ended']} */
  const ended = new Promise(resolve => {
    const end = (/** @type {number | NodeJS.Signals | null} */ how) => {
      running.delete(child)
      for (const listener of listeners) listener()
      resolve(how)
    }
    child.once('error', error => {
      output += error.message
      end(null)
    })
    child.once('close', (code, signal) => end(code ?? signal))
  })
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    signal: signal => void child.kill(signal),
    printed: (pattern, from = 0, timeout = 5000) =>
      new Promise(resolve => {
        /** @type {NodeJS.Timeout | undefined} */
        let timer
        const check = () => {
          const found = pattern.test(output.slice(from))
          if (!found && running.has(child)) return
          finish(found)
        }
        const finish = (/** @type {boolean} */ found) => {
          clearTimeout(timer)
          listeners.delete(check)
          resolve(found)
        }
        timer = setTimeout(finish, timeout, false)
        listeners.add(check)
        check()
      }),
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** The caller's environment without what a test runner adds for itself and a deployment would not have. */
export function cleanEnvironment() {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }
  for (const name of Object.keys(env)) {
    if (
      /^(NODE_ENV$|VITEST|NODE_OPTIONS$|FORCE_COLOR$|TURBOPACK$|__NEXT|TEST$|DEV$|PROD$|MODE$|SSR$|BASE_URL$)/.test(
        name,
      )
    ) {
      delete env[name]
    }
  }
  return env
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address())
      probe.close(() => resolve(port))
    })
  })
}
