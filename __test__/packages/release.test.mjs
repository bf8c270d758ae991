// What a release is made of, without packing one: the platforms, the versions of Next.js, the edits to upstream's files on every line, the
// error of a platform without an addon, the workflows.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { distribute, EDITS } from '../../scripts/distribution.mjs'
import { PLATFORMS, writePlatformPackage } from '../../scripts/platforms.mjs'
import { runCommand } from '../support/run-command.mjs'
import { upstreamFiles } from '../support/upstream-files.mjs'
import { LINE_NAMES, LINES } from '../support/workspace.mjs'

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
    const { platformName, platformNames } = require('../../runtime/process/addon')
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
    const { platformName } = require('../../runtime/process/addon')
    const folder = path.join(root, 'bare')
    mkdirSync(folder, { recursive: true })
    const addon = path.join(folder, `ferronext.${platformName()}.node`)
    writeFileSync(addon, 'no library')
    expect(await refusal('0')).toMatch(/^FERRONEXT_NO_BINARY: .*\.node cannot be loaded: /)
    rmSync(addon)
  })
})

describe('pack-release.mjs', () => {
  /** @param {string[]} args */
  function refusal(...args) {
    const script = path.join(repository, 'scripts/pack-release.mjs')
    const command = [script, '--next-only', '--out', path.join(root, 'release'), ...args]
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' })
    return { status, stdout, stderr }
  }

  it.each([
    ['a dangerous version', '16.1.7', /^FERRONEXT_VULNERABLE_NEXT: next 16\.1\.7 is dangerous: .*Upgrade to 16\.2\.6/],
    ['one that is not supported', '15.4.9', /^FERRONEXT_UNSUPPORTED_NEXT: next 15\.4\.9 is not supported/],
    [
      'one that is not published',
      '16.4.999',
      /^FERRONEXT_BAD_ARGUMENT: next 16\.4\.999 is not published; the last of its/,
    ],
  ])('refuses %s in one line, and packs none of the others', (_title, version, message) => {
    const { status, stdout, stderr } = refusal('16.4.6', version)
    expect([status, stdout, stderr.trimEnd().split('\n').length]).toEqual([1, '', 1])
    expect(stderr).toMatch(message)
    expect(readdirSync(path.join(root, 'release'))).toEqual([])
  })
})

describe('workflows', () => {
  const workflow = (/** @type {string} */ name) =>
    readFileSync(path.join(repository, '.github/workflows', `${name}.yml`), 'utf8')

  it('are YAML', async () => {
    const biome = path.join(repository, 'node_modules/@biomejs/biome/bin/biome')
    const { output } = await runCommand(process.execPath, [biome, 'check', '--verbose', '.github'], { cwd: repository })
    for (const name of ['release', 'canary']) expect(output).toContain(`.github/workflows/${name}.yml`)
  })

  it('run scripts that are there', () => {
    const { scripts } = manifest
    for (const name of ['release', 'canary']) {
      for (const [, script] of workflow(name).matchAll(/\bnode (?:\.\.\/)*(scripts\/[\w-]+\.mjs)/g)) {
        expect(existsSync(path.join(repository, script)), script).toBe(true)
      }
      for (const [, script] of workflow(name).matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty(script)
    }
  })

  it('name no version of Next.js, which would grow old there', () => {
    for (const name of ['release', 'canary']) expect(workflow(name)).not.toMatch(/\b1[5-9]\.\d+\.\d+\b/)
  })

  it('pack nothing when packing fails', () => {
    // Without a shell by name there is no `pipefail`.
    expect(workflow('release')).toMatch(/pack-release\.mjs[^\n]*\| tee tarballs\n[^-]*shell: bash\n/)
  })

  it('run every night on the newest canary', () => {
    expect(workflow('canary')).toMatch(/schedule:\n\s+- cron: "\d+ \d+ \* \* \*"/)
    expect(workflow('canary')).toMatch(/NEXT: \$\{\{ inputs\.next \|\| 'canary' \}\}/)
    expect(workflow('canary')).toContain('npm run test:lines -- --next "$NEXT"')
  })
})

/** A release of each line; a first patch beside it has the files of its line. @param {string} line */
const isMinor = line => !/^\d+\.\d+\.\d+$/.test(line)

describe.each(LINE_NAMES.filter(isMinor))('@ferronext/next for %s', line => {
  const names = ['package.json', 'README.md', 'license.md', ...EDITS.map(edit => edit.file)]

  /** Upstream's package as far as the distribution looks at it. */
  async function upstream() {
    const source = await upstreamFiles(LINES[line] ?? '', names)
    const folder = path.join(root, `next-${line}`)
    rmSync(folder, { recursive: true, force: true })
    cpSync(source, folder, { recursive: true })
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
