// One way to run a child process to its end, with its output kept for the error message.
import { spawn } from 'node:child_process'

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ stdout: string, output: string }>} `output` holds stdout and stderr as they came
 */
export function runCommand(command, args, { cwd, env = process.env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let output = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      output += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) return resolve({ stdout, output })
      const tail = output.trimEnd().split('\n').slice(-40).join('\n')
      const error = new Error(`\`${command} ${args.join(' ')}\` in ${cwd} ended with ${signal ?? code}:\n${tail}`)
      reject(Object.assign(error, { output }))
    })
  })
}

/** @param {string} text */
export function progress(text) {
  process.stderr.write(`[ferronext test] ${text}\n`)
}
