// Runs wrk and reads its report.

import { spawn, spawnSync } from 'node:child_process'

export const CONNECTIONS = 32

/** @returns {string | undefined} what to do, if there is no wrk */
export function explainMissingWrk() {
  if (!spawnSync('wrk', ['-v']).error) return undefined
  return 'wrk is missing; it makes the load. Install it: apt-get install wrk (Debian, Ubuntu), brew install wrk (macOS).'
}

/**
 * @typedef {object} Load
 * @property {number} rate requests per second
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 * @property {number} requests
 * @property {number} errors failed connections, timeouts, and answers with a status of the wrong class
 * @property {number} megabytesPerSecond
 */

/**
 * One thread: the other core is the server's.
 *
 * @param {{ url: string, headers: Record<string, string>, seconds: number, status: number, connections?: number, script?: string }} options
 *   `script` is a file in Lua that makes the requests
 * @returns {Promise<Load>}
 */
export async function load({ url, headers, seconds, status, connections = CONNECTIONS, script }) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '--latency']
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`)
  if (script) args.push('-s', script)
  return parse(await run([...args, url]), status)
}

/** @param {string[]} args @returns {Promise<string>} */
function run(args) {
  return new Promise((resolve, reject) => {
    // A process may open 1,024 files until somebody raises that, and each connection is one.
    const child = spawn('sh', ['-c', 'ulimit -n $(ulimit -Hn); exec wrk "$@"', 'wrk', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const kill = () => child.kill()
    process.once('exit', kill)
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    child.stderr.on('data', chunk => {
      output += chunk
    })
    child.once('error', reject)
    child.once('close', code => {
      process.removeListener('exit', kill)
      if (code === 0) resolve(output)
      else reject(new Error(`wrk ${args.join(' ')} ended with ${code}:\n${output}`))
    })
  })
}

const MILLISECONDS = { us: 0.001, ms: 1, s: 1000, m: 60_000 }
const MEGABYTES = { B: 1e-6, KB: 1.024e-3, MB: 1.048576, GB: 1073.741824 }

/**
 * @param {string} report
 * @param {number} status the expected one; wrk itself only tells 2xx and 3xx from the rest
 * @returns {Load}
 */
export function parse(report, status) {
  const number = (/** @type {RegExp} */ pattern) => Number(report.match(pattern)?.[1] ?? 0)
  const latency = (/** @type {string} */ share) => {
    // Units of one letter are padded.
    const found = report.match(new RegExp(`^\\s+${share}%\\s+([\\d.]+)(us|ms|s|m) *$`, 'm'))
    return found ? Number(found[1]) * MILLISECONDS[/** @type {'us' | 'ms' | 's' | 'm'} */ (found[2])] : Number.NaN
  }
  const requests = number(/(\d+) requests in /)
  const refused = number(/Non-2xx or 3xx responses: (\d+)/)
  const wrongStatus = status >= 400 ? requests - refused : refused
  const socket = report.match(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/)?.slice(1) ?? []
  const transfer = report.match(/Transfer\/sec:\s+([\d.]+)(B|KB|MB|GB)/)
  return {
    rate: number(/Requests\/sec:\s+([\d.]+)/),
    p50: latency('50'),
    p99: latency('99'),
    requests,
    errors: wrongStatus + socket.reduce((sum, count) => sum + Number(count), 0),
    megabytesPerSecond: transfer
      ? Number(transfer[1]) * MEGABYTES[/** @type {'B' | 'KB' | 'MB' | 'GB'} */ (transfer[2])]
      : 0,
  }
}
