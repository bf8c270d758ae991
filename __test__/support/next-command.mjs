// Next.js's own commands, as package.json scripts run them: `next build` to its end, `next start` and `next dev` until told.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import path from 'node:path'
import { runCommand } from './run-command.mjs'

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
// A test run that ends early must not leave servers behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** @param {NodeJS.ProcessEnv} [more] @returns {NodeJS.ProcessEnv} */
function environment(more) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }
  for (const name of Object.keys(env)) {
    if (/^(NODE_ENV|NODE_OPTIONS|VITEST|FORCE_COLOR|TURBOPACK|__NEXT|TEST$|DEV$|PROD$|MODE$|SSR$|BASE_URL$)/.test(name))
      delete env[name]
  }
  return { ...env, ...more }
}

/** @param {string} dir a folder in or above which the packages are @param {NodeJS.ProcessEnv} [env] */
export const nextBuild = (dir, env) => runCommand(commandOf(dir), ['build'], { cwd: dir, env: environment(env) })

/** The command as package managers link it. @param {string} dir */
const commandOf = dir => path.join(dir, 'node_modules/.bin/next')

/**
 * @param {object} options
 * @param {string} options.dir
 * @param {string[]} options.command for instance `['start']`, or a server file after `node`
 * @param {NodeJS.ProcessEnv} [options.env]
 */
export async function run({ dir, command, env }) {
  const port = await freePort()
  const [program, ...args] =
    command[0] === 'node' ? [process.execPath, ...command.slice(1)] : [commandOf(dir), ...command]
  const child = spawn(program, args, {
    cwd: dir,
    env: environment({ PORT: String(port), ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('close', () => running.delete(child))
  let output = ''
  const isReady = await new Promise(resolve => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output += text
        if (/Ready in|listening/i.test(output)) resolve(true)
      })
    }
    child.on('close', () => resolve(false))
  })
  if (!isReady) throw new Error(`${command.join(' ')} in ${dir} did not start:\n${output}`)
  return {
    origin: `http://localhost:${port}`,
    output: () => output,
    /** @returns {Promise<number | null>} the exit code */
    stop: () =>
      new Promise(resolve => {
        child.once('close', code => resolve(code))
        if (child.exitCode !== null) resolve(child.exitCode)
        child.kill('SIGTERM')
        setTimeout(() => child.kill('SIGKILL'), 10_000).unref()
      }),
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address())
      probe.close(() => resolve(port))
    })
  })
}
