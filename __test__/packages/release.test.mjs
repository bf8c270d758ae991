// What a release is made of, without packing one: the platforms, the edits to upstream's files on every line, the error of a
// platform without an addon, the workflow.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { distribute, EDITS } from '../../scripts/distribution.mjs'
import { PLATFORMS, writePlatformPackage } from '../../scripts/platforms.mjs'
import { runCommand } from '../support/run-command.mjs'
import { ensureWorkspace, LINE_NAMES, LINES } from '../support/workspace.mjs'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const require = createRequire(import.meta.url)
const manifest = require('../../package.json')

/** @type {string} */
let root

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'ferronext-release-'))
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('platform packages', () => {
  it('are those that the loader knows, and that the workflow builds', () => {
    const { platformName, platformNames } = require('../../runtime/addon')
    expect(platformNames.sort()).toEqual(Object.keys(PLATFORMS).sort())
    expect(platformNames).toContain(platformName())
    const workflow = readFileSync(path.join(repository, '.github/workflows/release.yml'), 'utf8')
    for (const [name, { target }] of Object.entries(PLATFORMS)) {
      expect(workflow).toMatch(new RegExp(`platform: ${name}, target: ${target},`))
    }
  })

  it.each(Object.keys(PLATFORMS))('%s says where it may be installed', platform => {
    const folder = path.join(root, platform)
    const addon = path.join(root, 'addon.node')
    writeFileSync(addon, 'an addon')
    writePlatformPackage({ platform, folder, addon, repository, manifest })
    const written = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
    const [os, cpu] = platform.split('-')
    expect(written).toMatchObject({ name: `@ferronext/${platform}`, version: manifest.version, os: [os], cpu: [cpu] })
    expect(written.libc).toEqual({ gnu: ['glibc'], musl: ['musl'] }[platform.split('-')[2] ?? ''])
    expect(readFileSync(path.join(folder, written.main), 'utf8')).toBe('an addon')
    expect(readFileSync(path.join(folder, 'LICENSE'), 'utf8')).toContain('MIT')
  })
})

describe('the loader', () => {
  /** ferronext's files without an addon, under another platform. @param {string} change of `process` */
  async function refusal(change) {
    const folder = path.join(root, 'bare')
    for (const name of ['index.js', 'package.json', 'runtime']) {
      cpSync(path.join(repository, name), path.join(folder, name), { recursive: true })
    }
    const code = `${change}; try { require('./index.js') } catch ({ code, message }) { console.log(code + ': ' + message) }`
    return (await runCommand(process.execPath, ['-e', code], { cwd: folder })).stdout
  }
  const pretend = (/** @type {string} */ platform, /** @type {string} */ arch) =>
    `Object.defineProperties(process, { platform: { value: '${platform}' }, arch: { value: '${arch}' } })`

  it('names a platform whose package is missing, and what to do', async () => {
    const message = await refusal(pretend('darwin', 'arm64'))
    expect(message).toMatch(
      /^FERRONEXT_NO_BINARY: ferronext has no addon for darwin-arm64: the package @ferronext\/darwin-arm64 is not installed/,
    )
    expect(message).toContain('--omit=optional')
    expect(message).toContain('npx ferronext build-addon')
  })

  it('names a platform that there is no package for, and those that there are', async () => {
    const message = await refusal(pretend('freebsd', 'x64'))
    expect(message).toMatch(
      /^FERRONEXT_NO_BINARY: ferronext has no prebuilt addon for freebsd-x64; there are linux-x64-gnu, /,
    )
  })

  it('says why an addon that is there cannot be loaded', async () => {
    const { platformName } = require('../../runtime/addon')
    const folder = path.join(root, 'bare')
    mkdirSync(folder, { recursive: true })
    const addon = path.join(folder, `ferronext.${platformName()}.node`)
    writeFileSync(addon, 'no library')
    expect(await refusal('0')).toMatch(/^FERRONEXT_NO_BINARY: .*\.node cannot be loaded: /)
    rmSync(addon)
  })
})

describe.each(LINE_NAMES)('@ferronext/next for %s', line => {
  /** Upstream's package as far as the distribution looks at it. */
  async function upstream() {
    const { dir } = await ensureWorkspace({ line })
    const source = path.join(dir, 'node_modules/next')
    const folder = path.join(root, `next-${line}`)
    rmSync(folder, { recursive: true, force: true })
    for (const file of ['package.json', 'README.md', 'license.md', ...EDITS.map(edit => edit.file)]) {
      cpSync(path.join(source, file), path.join(folder, file))
    }
    return { folder, before: JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8')) }
  }
  const distributed = (/** @type {string} */ folder) =>
    distribute({ folder, repository, ferronextVersion: manifest.version })

  it('has its version, its peers and dependencies, its licence, and our doors', async () => {
    const { folder, before } = await upstream()
    expect(distributed(folder)).toEqual({ name: '@ferronext/next', version: LINES[line] })
    const written = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
    expect(written.dependencies).toEqual({ ...before.dependencies, ferronext: `^${manifest.version}` })
    expect(written.peerDependencies).toEqual(before.peerDependencies)
    expect(written.optionalDependencies).toEqual(before.optionalDependencies)
    expect(written.bin).toEqual({ next: './dist/bin/next', ferronext: './ferronext/bin.js' })
    expect(written.types).toBe(before.types)
    const read = (/** @type {string} */ file) => readFileSync(path.join(folder, file), 'utf8')
    expect(read('license.md')).toContain('Vercel')
    expect(read('ferronext/LICENSE')).toContain('MIT')
    expect(read('README.md')).toContain(`next@npm:@ferronext/next@${LINES[line]}`)
    for (const { file, find, replace } of EDITS)
      expect([read(file).includes(find), read(file).includes(replace)]).toEqual([false, true])
  })

  it('fails and says what upstream has moved, and changes nothing', async () => {
    const { folder } = await upstream()
    for (const { file, find } of EDITS) {
      const target = path.join(folder, file)
      const text = readFileSync(target, 'utf8')
      for (const [moved, times] of [
        [text.replace(find, 'moved'), 0],
        [text + find, 2],
      ]) {
        writeFileSync(target, String(moved))
        expect(() => distributed(folder)).toThrow(`${file} has ${times} times`)
      }
      writeFileSync(target, text)
    }
    const file = path.join(folder, 'package.json')
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, JSON.stringify({ ...JSON.parse(before), exports: {} }))
    expect(() => distributed(folder)).toThrow('has "exports"')
    writeFileSync(file, JSON.stringify({ ...JSON.parse(before), main: './elsewhere.js' }))
    expect(() => distributed(folder)).toThrow('package.json has "main": "./elsewhere.js"')
  })
})
