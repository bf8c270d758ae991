// A registry on this machine that holds what a release publishes, and passes every other package on from the registry that
// npm is configured for. So a test installs with the very command that a user types.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { PLATFORMS } from '../../scripts/platforms.mjs'
import { hashFolder } from './build.mjs'
import { withLock } from './lock.mjs'
import { progress, runCommand } from './run-command.mjs'
import { localTarball, testRoot } from './workspace.mjs'

const repository = fileURLToPath(new URL('../../', import.meta.url))

/** The registry, and the package managers that ask it. Exact, so that what changes is ours. */
const TOOLS = {
  private: true,
  dependencies: { verdaccio: '6.8.0', pnpm: '12.4.2', yarn: '1.22.22', 'yarn-berry': 'npm:@yarnpkg/cli-dist@4.18.1' },
  // Verdaccio's own range ends in a version with a fault in its package.json.
  overrides: { 'node-fetch': '2.7.0' },
}

/** @returns {Promise<string>} the folder whose node_modules holds TOOLS */
export async function ensureTools() {
  const manifest = JSON.stringify(TOOLS, null, 2)
  const dir = path.join(testRoot(), `tools-${hash(manifest)}`)
  await once(dir, async () => {
    progress(`installing package managers and a registry into ${dir}`)
    writeFileSync(path.join(dir, 'package.json'), manifest)
    await runCommand('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: dir })
  })
  return dir
}

/**
 * @param {string} nextVersion
 * @returns {Promise<string[]>} tarballs in the order of publication
 */
async function packRelease(nextVersion) {
  const addon = path.join(repository, addonName())
  // The addon of the very tarball that the other tests install.
  const { stdout } = await runCommand('tar', ['-tzf', await localTarball()], { cwd: repository })
  if (!stdout.includes(`package/${addonName()}`)) throw new Error('The tarball has no addon for this machine.')
  const digest = (/** @type {string} */ file) => hash(readFileSync(path.join(repository, file)))
  const folders = ['npm', 'scripts', 'runtime', 'bin'].map(name => hashFolder(path.join(repository, name), new Set()))
  const key = hash([...folders, ...['index.js', 'package.json', addonName()].map(digest)].join())
  const ours = await pack(`release-${key}`, ['--no-next'], addons => {
    // This machine builds one addon. The packages of other platforms are there and are not installed on this one.
    for (const platform of Object.keys(PLATFORMS)) {
      const file = path.join(addons, `ferronext.${platform}.node`)
      if (path.basename(file) === addonName()) copyFileSync(addon, file)
      else writeFileSync(file, 'The addon of another platform, which a test machine must not load.')
    }
  })
  // 160 MB of upstream's files, which depend on nothing of ours but the rule.
  const rule = hash([digest('scripts/distribution.mjs'), folders[0], digest('LICENSE')].join())
  return [...ours, ...(await pack(`distribution-${nextVersion}-${rule}`, ['--next-only', nextVersion], () => {}))]
}

/**
 * @param {string} name of the folder, which says all that its content depends on
 * @param {string[]} args
 * @param {(addons: string) => void} prepare
 */
async function pack(name, args, prepare) {
  const dir = path.join(testRoot(), name)
  await once(dir, async () => {
    progress(`packing ${name}`)
    const kind = name.replace(/[^-]*$/, '')
    for (const old of readdirSync(testRoot())) {
      if (old.startsWith(kind) && !old.startsWith(name))
        rmSync(path.join(testRoot(), old), { recursive: true, force: true })
    }
    const addons = path.join(dir, 'addons')
    mkdirSync(addons)
    prepare(addons)
    const script = path.join(repository, 'scripts/pack-release.mjs')
    const packed = await runCommand(process.execPath, [script, '--addons', addons, '--out', dir, ...args], { cwd: dir })
    writeFileSync(path.join(dir, 'tarballs'), packed.stdout)
  })
  return readFileSync(path.join(dir, 'tarballs'), 'utf8').trim().split('\n')
}

/**
 * Publishes as `npm publish` does, which needs most of a minute for a package of ten thousand files.
 * @param {string} url
 * @param {string} tarball
 */
async function publish(url, tarball) {
  const { stdout } = await runCommand('tar', ['-xzOf', tarball, 'package/package.json'], { cwd: testRoot() })
  const manifest = JSON.parse(stdout)
  const { name, version } = manifest
  const bytes = readFileSync(tarball)
  const file = `${name}-${version}.tgz`
  const dist = {
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    shasum: createHash('sha1').update(bytes).digest('hex'),
    tarball: `${url}/${name}/-/${path.basename(file)}`,
  }
  const attachment = { content_type: 'application/octet-stream', data: bytes.toString('base64'), length: bytes.length }
  const document = JSON.stringify({
    _id: name,
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    _attachments: { [file]: attachment },
  })
  for (let attempt = 1; ; attempt++) {
    // A registry that has just started may still drop a connection. One that has the package says 409.
    const answer = await put(`${url}/${name.replace('/', '%2f')}`, document).catch(error => error)
    if (answer === 201 || (answer === 409 && attempt > 1)) return
    if (attempt === 3 || typeof answer === 'number') throw new Error(`The registry does not take ${name}: ${answer}`)
  }
}

/**
 * Over a connection of its own: the registry closes those that it keeps in its own time.
 * @param {string} url
 * @param {string} json
 * @returns {Promise<number | undefined>} the status
 */
function put(url, json) {
  const body = Buffer.from(json)
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'PUT', headers, agent: false }, response => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** @returns {string} */
function addonName() {
  const name = readdirSync(repository).find(file => /^ferronext\..*\.node$/.test(file))
  if (!name) throw new Error('There is no addon beside index.js; `npm run build` makes it.')
  return name
}

/**
 * @typedef {object} Registry
 * @property {string} url
 * @property {string} tools folder of the package managers
 * @property {string} home for caches of package managers, which must not remember another release under the same version
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} nextVersion
 * @returns {Promise<Registry>}
 */
export async function startRegistry(nextVersion) {
  const [tools, tarballs] = [await ensureTools(), await packRelease(nextVersion)]
  const home = path.join(testRoot(), `registry-${process.pid}`)
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const { stdout } = await runCommand('npm', ['config', 'get', 'registry'], { cwd: home })
  const ours = { access: '$all', publish: '$anonymous' }
  // YAML holds JSON.
  writeFileSync(
    path.join(home, 'config.yaml'),
    JSON.stringify({
      storage: path.join(home, 'storage'),
      uplinks: { above: { url: stdout.trim(), timeout: '60s', max_fails: 100 } },
      packages: { '@ferronext/*': ours, ferronext: ours, '**': { access: '$all', proxy: 'above' } },
      max_body_size: '500mb',
      log: { type: 'stdout', format: 'pretty', level: 'http' },
    }),
  )
  const cli = path.join(tools, 'node_modules/verdaccio/bin/verdaccio')
  // A port of the system's choosing is not to be had from it: ask for one, and take another when somebody was quicker.
  const { url, child } = await listen(cli, home)
  progress(`publishing ${tarballs.length} packages on this machine`)
  for (const tarball of tarballs) await publish(url, tarball)
  const close = async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await new Promise(resolve => child.once('close', resolve))
    rmSync(home, { recursive: true, force: true })
  }
  return { url, tools, home, close }
}

/**
 * @param {string} cli
 * @param {string} home
 * @returns {Promise<{ url: string, child: import('node:child_process').ChildProcess }>}
 */
async function listen(cli, home) {
  for (let attempt = 1; ; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    const args = [cli, '--config', path.join(home, 'config.yaml'), '--listen', `127.0.0.1:${port}`]
    const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] })
    process.once('exit', () => child.kill('SIGKILL'))
    let output = ''
    const isListening = await new Promise(resolve => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', text => {
          output += text
          if (/http address/.test(output)) resolve(true)
        })
      }
      child.on('close', () => resolve(false))
    })
    if (isListening) return { url: `http://127.0.0.1:${port}`, child }
    if (attempt === 3) throw new Error(`The registry does not start:\n${output.slice(-2000)}`)
  }
}

/** Makes a folder once; an interrupted attempt is repeated. @param {string} dir @param {() => Promise<void>} make */
async function once(dir, make) {
  const marker = path.join(dir, '.complete')
  if (existsSync(marker)) return
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(marker)) return
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
    await make()
    writeFileSync(`${marker}.tmp`, '')
    renameSync(`${marker}.tmp`, marker)
  })
}

/** @param {string | Buffer} data */
const hash = data => createHash('sha256').update(data).digest('hex').slice(0, 10)
