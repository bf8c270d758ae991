// A fixture behind one engine, with a server file of `__test__/servers` or the documented one.
import { copyFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFixture, copyApp, removeApp } from './build.mjs'
import { sendRaw } from './raw.mjs'
import { startServer } from './server.mjs'
import { installTools } from './tools.mjs'

const tests = fileURLToPath(new URL('../', import.meta.url))

/** @typedef {Awaited<ReturnType<typeof serveFixture>>} Served */

/**
 * @param {object} options
 * @param {string} options.fixture
 * @param {string} [options.serverFile] in `__test__/servers`; without it the documented server runs
 * @param {string} [options.name] of the copy, where one test serves several
 * @param {import('./server.mjs').Engine} [options.engine]
 * @param {import('./workspace.mjs').Line} [options.line]
 * @param {Record<string, unknown>} [options.options] for next()
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {string[]} [options.tools] packages that the app sees as installed
 * @param {(dir: string) => void} [options.prepare] changes the copy
 */
export async function serveFixture({
  fixture,
  serverFile,
  name = 'one',
  engine = 'ferronext',
  line = '16.4',
  tools = [],
  prepare,
  ...rest
}) {
  const { dir: built } = await buildFixture({ line, source: path.join(tests, 'fixtures', fixture) })
  const dir = await copyApp(built, name)
  if (serverFile) copyFileSync(path.join(tests, 'servers', serverFile), path.join(dir, serverFile))
  await installTools(dir, tools)
  prepare?.(dir)
  const env = { SERVER_OPTIONS: JSON.stringify(rest.options ?? {}), TEST_PACKAGES: tests, ...rest.env }
  /** @type {import('./server.mjs').Server} */
  let server
  try {
    server = await startServer({ dir, engine, serverFile, env })
  } catch (error) {
    await removeApp(dir)
    throw error
  }
  return {
    ...server,
    dir,
    /** @param {string} target @param {Omit<import('./raw.mjs').RawRequest, 'target'> & { call?: object }} [request] */
    ask: (target, { call, headers = [], ...request } = {}) => {
      const list = Array.isArray(headers) ? headers : Object.entries(headers)
      /** @type {[string, string][]} */
      const marked = call ? [['x-call', encodeURIComponent(JSON.stringify(call))]] : []
      return sendRaw({ port: server.port, target, ...request, headers: [...list, ...marked] })
    },
    close: async () => {
      await server.stop()
      await removeApp(dir)
    },
  }
}

/** @param {import('./raw.mjs').RawResponse} response @param {string} name */
export const header = ({ headers }, name) => headers.find(([key]) => key.toLowerCase() === name)?.[1]

/** @param {import('./raw.mjs').RawResponse} response */
export const json = ({ decoded }) => JSON.parse(decoded.toString())
