// The time to the first byte of a body, of pages asked in turns over one connection that is kept: nobody else asks anything meanwhile.

import { Agent, get } from 'node:http'
import { startServer } from './server-process.mjs'
import { median } from './turns.mjs'

/** Answers that warm the server and do not count, of each page. */
const WARM_UP = 100

/**
 * @param {object} options
 * @param {import('./server-process.mjs').Engine} options.engine
 * @param {string} options.dir
 * @param {string[]} options.paths
 * @param {Record<string, string>} options.headers
 * @param {number} options.times
 * @returns {Promise<{ first: number, last: number }[]>} of each page the medians, in milliseconds, to the first byte and to the end
 */
export async function measureFirstBytes({ engine, dir, paths, headers, times }) {
  const server = await startServer(engine, dir)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const measured = paths.map(() => ({ first: /** @type {number[]} */ ([]), last: /** @type {number[]} */ ([]) }))
  try {
    for (let time = -WARM_UP; time < times; time++) {
      for (const [index, path] of paths.entries()) {
        const { first, last } = await ask({ host: '127.0.0.1', port: server.port, path, headers, agent })
        if (time < 0) continue
        measured[index].first.push(first)
        measured[index].last.push(last)
      }
    }
  } finally {
    agent.destroy()
    await server.stop()
  }
  return measured.map(({ first, last }) => ({ first: median(first), last: median(last) }))
}

/**
 * @param {import('node:http').RequestOptions} options
 * @returns {Promise<{ first: number, last: number }>}
 */
function ask(options) {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    get(options, response => {
      let first = 0
      if (response.statusCode !== 200) reject(new Error(`${options.path} was answered with ${response.statusCode}`))
      response.once('data', () => {
        first = performance.now() - began
      })
      response.once('end', () => resolve({ first, last: performance.now() - began }))
      response.once('error', reject)
    }).once('error', reject)
  })
}
