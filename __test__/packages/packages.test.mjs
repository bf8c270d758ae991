// `npm install next@npm:@ferronext/next@...` as a user types it, with npm, pnpm and both yarns, against a registry on this machine;
// then, under npm, the apps of `__test__/apps` in Chromium. Packs, publishes and builds for minutes, therefore on request.

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../browser/browser.mjs'
import { nextBuild, run } from '../support/next-command.mjs'
import { startRegistry } from '../support/registry.mjs'
import { runCommand } from '../support/run-command.mjs'
import { LINES, testRoot } from '../support/workspace.mjs'
import { TOURS } from './tours.mjs'

const VERSION = LINES['16.4']
const apps = fileURLToPath(new URL('../apps/', import.meta.url))
const MINUTES = 60_000

/** What an app has beside `next`; next-intl and next-auth name `next` as a peer. */
const MANIFEST = {
  private: true,
  dependencies: { react: '19.3.1', 'react-dom': '19.3.1', 'next-intl': '4.15.0', 'next-auth': '4.24.15' },
  devDependencies: { typescript: '5.9.3', '@types/react': '19.3.0', '@types/node': '20.19.43' },
}
const SPEC = `next@npm:@ferronext/next@${VERSION}`

const SERVER = `import { createServer } from 'node:http'
import { parse } from 'node:url'
import next from 'next'
import Link from 'next/link.js'
const app = next({ dev: process.env.NODE_ENV !== 'production' })
const handle = app.getRequestHandler()
await app.prepare()
createServer((req, res) => handle(req, res, parse(req.url, true))).listen(process.env.PORT, () => console.log('listening', typeof Link))
`

/** Says at the end of a process which of both servers it had loaded. */
const PROBE = `process.on('exit', () => {
  const names = Object.keys(require.cache).map(file => file.replaceAll('\\\\', '/'))
  const has = pattern => names.some(name => pattern.test(name))
  console.log('probe', JSON.stringify({ ferronext: has(/ferronext[^/]*\\.node$/), upstream: has(/next\\/dist\\/server\\/base-server\\.js$/) }))
})
`

describe.runIf(process.env.FERRONEXT_TEST_PACKAGES === '1')('@ferronext/next', () => {
  /** @type {import('../support/registry.mjs').Registry} */
  let registry
  /** @type {string} */
  let root

  beforeAll(async () => {
    registry = await startRegistry(VERSION)
    root = path.join(testRoot(), `packages-${process.pid}`)
    rmSync(root, { recursive: true, force: true })
    mkdirSync(root, { recursive: true })
  }, 15 * MINUTES)

  afterAll(async () => {
    await registry?.close()
    if (root) rmSync(root, { recursive: true, force: true })
  })

  /** An app in a new folder. @param {string} name @param {Record<string, string>} [files] */
  function appIn(name, files = {}) {
    const dir = path.join(root, name)
    cpSync(path.join(apps, 'notes'), dir, { recursive: true })
    const all = { 'package.json': JSON.stringify(MANIFEST), 'server.mjs': SERVER, 'probe.cjs': PROBE, ...files }
    for (const [file, text] of Object.entries(all)) writeFileSync(path.join(dir, file), text)
    return dir
  }

  /** @param {string} name of the package in TOOLS @param {string} file */
  const tool = (name, file) => path.join(registry.tools, 'node_modules', name, file)
  const caches = () => ({ ...process.env, NODE_ENV: undefined, XDG_CACHE_HOME: path.join(registry.home, 'cache') })

  /** @param {string} dir @param {string} program @param {string[]} args */
  const install = async (dir, program, ...args) =>
    (await runCommand(process.execPath, [program, ...args], { cwd: dir, env: caches() })).output

  /** @type {Record<string, () => Promise<{ dir: string, output: string }>>} */
  const managers = {
    npm: async () => {
      const dir = appIn('npm', { '.npmrc': `registry=${registry.url}/\n` })
      const args = [
        'install',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--cache',
        path.join(registry.home, 'npm'),
        SPEC,
      ]
      return { dir, output: (await runCommand('npm', args, { cwd: dir, env: caches() })).output }
    },
    // A workspace: the app is not where the packages are, and `next` is linked there alone.
    pnpm: async () => {
      const dir = appIn('pnpm/packages/web')
      const workspace = path.join(root, 'pnpm')
      writeFileSync(path.join(workspace, 'package.json'), '{ "private": true }')
      writeFileSync(
        path.join(workspace, 'pnpm-workspace.yaml'),
        'packages: [packages/*]\nstrictPeerDependencies: true\n',
      )
      writeFileSync(path.join(workspace, '.npmrc'), `registry=${registry.url}/\n`)
      const store = path.join(registry.home, 'pnpm')
      const output = await install(
        dir,
        tool('pnpm', 'bin/pnpm.mjs'),
        'add',
        '--ignore-scripts',
        '--store-dir',
        store,
        SPEC,
      )
      return { dir, output }
    },
    'yarn 1': async () => {
      const dir = appIn('yarn-1', { '.yarnrc': `registry "${registry.url}/"\n` })
      const cache = ['--cache-folder', path.join(registry.home, 'yarn-1')]
      return { dir, output: await install(dir, tool('yarn', 'bin/yarn.js'), 'add', '--ignore-scripts', ...cache, SPEC) }
    },
    'yarn 4': async () => {
      const settings = {
        npmRegistryServer: registry.url,
        unsafeHttpWhitelist: ['127.0.0.1'],
        nodeLinker: 'node-modules',
        enableScripts: false,
        enableTelemetry: false,
        enableGlobalCache: false,
        globalFolder: path.join(registry.home, 'yarn-4'),
        enableImmutableInstalls: false,
        npmMinimalAgeGate: 0,
      }
      const dir = appIn('yarn-4', { '.yarnrc.yml': JSON.stringify(settings), 'yarn.lock': '' })
      return { dir, output: await install(dir, tool('yarn-berry', 'bin/yarn.js'), 'add', SPEC) }
    },
  }

  describe.each(Object.keys(managers))('installed by %s, without scripts', name => {
    /** @type {string} */
    let dir
    let output = ''

    beforeAll(async () => {
      ;({ dir, output } = await managers[name]())
      await nextBuild(dir)
    }, 10 * MINUTES)

    it('is the `next` that the ecosystem asks for', () => {
      const require = createRequire(path.join(dir, 'package.json'))
      const manifest = require('next/package.json')
      expect([manifest.name, manifest.version]).toEqual(['@ferronext/next', VERSION])
      expect(JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')).dependencies.next).toMatch(
        /@ferronext\/next@/,
      )
      // What complains of a peer whose version does not fit, in the words of any of the four.
      expect(output).not.toMatch(/ERESOLVE|incorrect peer|unmet peer[^\n]*next@|YN0060/i)
      expect(require('next/jest')).toBeTypeOf('function')
      for (const licence of ['license.md', 'ferronext/LICENSE']) {
        expect(existsSync(path.join(path.dirname(require.resolve('next/package.json')), licence)), licence).toBe(true)
      }
    })

    it.each([
      ['next start', ['start'], {}],
      ['a custom server', ['node', 'server.mjs'], { NODE_ENV: 'production' }],
    ])('serves by ferronext: %s', async (_title, command, env) => {
      const probe = `--require ${JSON.stringify(path.join(dir, 'probe.cjs'))}`
      const server = await run({ dir, command, env: { ...env, NODE_OPTIONS: probe } })
      try {
        expect(await (await fetch(server.origin)).text()).toContain('A notebook')
        const login = await fetch(`${server.origin}/notes`, { redirect: 'manual' })
        expect([login.status, login.headers.get('location')]).toEqual([307, '/login'])
      } finally {
        await server.stop()
      }
      // A custom server has no handler for the signal, and ends without a word.
      if (command[0] === 'start') expect(server.output()).toContain('probe {"ferronext":true,"upstream":false}')
    })
  })

  describe('under npm', () => {
    it(
      'develops with upstream’s server: `next dev` and a custom server',
      async () => {
        const dir = path.join(root, 'npm')
        for (const command of [['dev'], ['node', 'server.mjs']]) {
          const server = await run({ dir, command })
          try {
            expect(await (await fetch(server.origin)).text()).toMatch(/A notebook[\s\S]*(hmr|turbopack)/i)
          } finally {
            await server.stop()
          }
        }
        rmSync(path.join(dir, '.next'), { recursive: true })
      },
      5 * MINUTES,
    )

    it('has upstream’s types, and the options of ferronext', async () => {
      const dir = path.join(root, 'npm')
      const documented = readFileSync(new URL('../../examples/custom-server/server.ts', import.meta.url), 'utf8')
      writeFileSync(path.join(dir, 'documented.ts'), documented)
      writeFileSync(
        path.join(dir, 'options.ts'),
        `import next from 'next'
import type { Metadata } from 'next'
next({ dev: false, trustProxy: ['loopback'] })
// @ts-expect-error no option of either
next({ nonsense: true })
export const metadata: Metadata = { title: 'typed' }
`,
      )
      const flags = ['--noEmit', '--strict', '--skipLibCheck', '--esModuleInterop', '--module', 'esnext']
      const tsc = [
        path.join(dir, 'node_modules/typescript/bin/tsc'),
        ...flags,
        '--moduleResolution',
        'bundler',
        '--types',
        'node',
      ]
      await runCommand(process.execPath, [...tsc, 'documented.ts', 'options.ts'], { cwd: dir })
    })

    it(
      'serves a standalone build in a folder of its own',
      async () => {
        const dir = path.join(root, 'npm')
        const config = path.join(dir, 'next.config.mjs')
        writeFileSync(config, "export default { output: 'standalone' }\n")
        await nextBuild(dir)
        rmSync(config)
        // Not below the packages, so that nothing is found by looking upwards.
        const moved = `${root}-standalone`
        cpSync(path.join(dir, '.next/standalone'), moved, { recursive: true })
        const env = { NODE_OPTIONS: `--require ${JSON.stringify(path.join(dir, 'probe.cjs'))}` }
        const server = await run({ dir: moved, command: ['node', 'server.js'], env })
        try {
          expect(await (await fetch(server.origin)).text()).toContain('A notebook')
          expect((await fetch(`${server.origin}/login`)).status).toBe(200)
        } finally {
          await server.stop()
          rmSync(moved, { recursive: true, force: true })
        }
        expect(server.output()).toContain('probe {"ferronext":true,"upstream":false}')
      },
      5 * MINUTES,
    )

    describe.each(Object.keys(TOURS))('the app %s', name => {
      /** @type {Awaited<ReturnType<typeof run>>} */
      let server
      /** @type {import('playwright-core').Browser} */
      let browser

      beforeAll(async () => {
        const dir = path.join(root, 'npm', name)
        cpSync(path.join(apps, name), dir, { recursive: true })
        // The command, and what an app of its own would have.
        mkdirSync(path.join(dir, 'node_modules/.bin'), { recursive: true })
        writeFileSync(
          path.join(dir, 'node_modules/.bin/next'),
          `#!/usr/bin/env node\nrequire(${JSON.stringify(path.join(root, 'npm/node_modules/next/dist/bin/next'))})\n`,
          { mode: 0o755 },
        )
        await nextBuild(dir)
        server = await run({ dir, command: ['start'] })
        browser = await launchBrowser()
      }, 5 * MINUTES)

      afterAll(async () => {
        await browser?.close()
        await server?.stop()
      })

      it('is clicked through without an error', async () => {
        await TOURS[name](browser, server.origin)
        expect(server.output()).not.toMatch(/⨯|Error:/)
      })
    })
  })
})
