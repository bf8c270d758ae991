// Which versions of `next` ferronext can be installed beside, by npm and without flags. In: the peer range of package.json. Known versions
// are asked always; with FERRONEXT_TEST_PACKAGES=1 every version that the registry has, and npm itself beside some.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../support/run-command.mjs'
import { LINES, localTarball, NEWEST, testRoot } from '../support/workspace.mjs'

const require = createRequire(import.meta.url)
const { name, peerDependencies } = require('../../package.json')
/** @type {{ satisfies: (version: string, range: string) => boolean, gte: (a: string, b: string) => boolean, lt: (a: string, b: string) => boolean }} */
const semver = require('next/dist/compiled/semver')

const MINUTES = 60_000
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

/** The last patch of each released line. */
const PATCHES = { 15.5: 29, '16.0': 11, 16.1: 7, 16.2: 12, 16.3: 8, 16.4: 6 }
const RELEASES = Object.entries(PATCHES).flatMap(([line, last]) =>
  Array.from({ length: last + 1 }, (_, patch) => `${line}.${patch}`),
)

/** A minor version is prepared by canaries of its own number and, before those, of a patch of the minor before. */
const CANARIES = [
  '16.5.0-canary.0',
  '16.5.0-canary.38',
  '16.5.1-canary.0',
  '16.6.0-canary.7',
  '16.6.1-canary.0',
  '16.5.0-preview.1',
  '16.5.0-rc.0',
]
const LATER = ['16.5.0', '16.5.3', '16.6.0', '16.99.0']

/** Canaries of lines that are released by now, and what nobody has looked at. */
const OUTSIDE = ['15.4.9', '15.5.0-canary.1', '16.2.1-canary.3', '17.0.0-canary.1', '17.0.0']

const inside = (/** @type {string} */ version) => semver.satisfies(version, peerDependencies.next)

describe('the peer range', () => {
  it('holds every release since 15.5, the canaries since 16.5 and later minors', () => {
    const all = [...RELEASES, ...Object.values(LINES), ...CANARIES, ...LATER]
    expect(all.filter(version => !inside(version))).toEqual([])
  })

  it('holds nothing else', () => {
    expect(OUTSIDE.filter(inside)).toEqual([])
  })
})

describe.runIf(process.env.FERRONEXT_TEST_PACKAGES === '1')('npm', () => {
  /** @type {string[]} */
  let published
  /** @type {string} */
  let tarball
  /** @type {string} */
  let root

  beforeAll(async () => {
    tarball = await localTarball()
    mkdirSync(testRoot(), { recursive: true })
    root = mkdtempSync(path.join(testRoot(), 'peers-'))
    const { stdout } = await runCommand('npm', ['view', 'next', 'versions', '--json'], { cwd: root })
    published = JSON.parse(stdout)
  }, 5 * MINUTES)

  afterAll(() => {
    if (root) rmSync(root, { recursive: true, force: true })
  })

  it('finds each published version in the range', () => {
    const since = (/** @type {string} */ version) => semver.lt(version, '17.0.0-0') && semver.gte(version, '15.5.0')
    const met = published.filter(
      version => since(version) && (!version.includes('-') || semver.gte(version, '16.5.0-0')),
    )
    expect(met.length).toBeGreaterThanOrEqual(RELEASES.length - 2)
    expect(met.filter(version => !inside(version))).toEqual([])
  })

  /**
   * What a user types, in an empty app. Everything but the files themselves: npm resolves, refuses and writes the lock file.
   *
   * @param {string} version of `next`
   * @param {...string} flags
   * @returns {Promise<Record<string, { version: string }>>} what the lock file names
   */
  async function install(version, ...flags) {
    const dir = mkdtempSync(path.join(root, `${version}-`))
    writeFileSync(path.join(dir, 'package.json'), '{ "private": true }\n')
    const app = [`next@${version}`, 'react@19', 'react-dom@19']
    for (const packages of [app, [tarball]]) {
      await runCommand('npm', ['install', '--package-lock-only', ...QUIET, ...flags, ...packages], { cwd: dir })
    }
    return JSON.parse(readFileSync(path.join(dir, 'package-lock.json'), 'utf8')).packages
  }

  // Both ends, and what is not a release; all tested versions were installed once.
  it.each([LINES['15.5.0'], LINES[NEWEST], 'canary'])(
    'installs ferronext beside next@%s without flags',
    async wanted => {
      // Not every registry has the tag.
      const version = (wanted === 'canary' ? published.findLast(each => each.includes('-canary.')) : wanted) ?? ''
      const packages = await install(version)
      expect(packages['node_modules/next']?.version).toBe(version)
      expect(packages[`node_modules/${name}`]).toBeDefined()
    },
    5 * MINUTES,
  )

  it(
    'would say so, if it refused',
    async () => {
      // Without this npm would take a later `next` in its place.
      await expect(install('15.4.9', '--save-exact')).rejects.toThrow(/ERESOLVE/)
    },
    5 * MINUTES,
  )
})
