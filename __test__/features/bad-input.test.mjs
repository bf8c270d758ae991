// What a user can get wrong before the first request: one line with a code that says what is wrong and what to do, from a
// server file as from the command.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { cleanEnvironment, startCommand } from '../support/command.mjs'
import { NODES_ARE_HERE, nodeBuild } from '../support/tools.mjs'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

const source = fileURLToPath(new URL('../fixtures/operated', import.meta.url))

/** @type {string} */
let app
/** @type {string} the installed package */
let installed
/** @type {string} */
let command
/** A folder whose packages are exactly those that a test puts there. @type {string} */
let bare

beforeAll(async () => {
  const workspace = await ensureWorkspace({ line: '16.4' })
  await installFerronext(workspace.dir)
  installed = path.join(workspace.dir, 'node_modules/ferronext')
  command = path.join(installed, 'bin/ferronext.js')
  app = await copyApp((await buildFixture({ line: '16.4', source })).dir, 'bad-input')
  bare = path.join(path.dirname(workspace.dir), `bare-${process.pid}`)
})

afterAll(async () => {
  await removeApp(app)
  rmSync(bare, { recursive: true, force: true })
})

/** @param {string} dir @param {string[]} args @param {string} [node] */
async function run(dir, args, node = process.execPath) {
  const child = startCommand(node, args, {
    cwd: dir,
    env: { ...cleanEnvironment(), NODE_ENV: 'production', PORT: '0' },
  })
  return { code: await child.ended, output: child.output() }
}

/** @param {string} file @param {string} options of next() */
function serverFile(file, options) {
  writeFileSync(
    file,
    `require('ferronext')(${options}).prepare().then(() => console.log('prepared'), error => {
  console.log(error.code + ': ' + error.message)
  process.exit(1)
})`,
  )
  return file
}

/** @param {{ code: unknown, output: string }} result @param {RegExp} line */
function expectOneLine({ code, output }, line) {
  expect(output.trimEnd().split('\n')).toEqual([expect.stringMatching(line)])
  expect(code).toBe(1)
}

/** A project of its own, with ferronext and what else is given. @param {Record<string, string>} packages package.json by name */
function project(packages) {
  rmSync(bare, { recursive: true, force: true })
  mkdirSync(path.join(bare, 'node_modules'), { recursive: true })
  writeFileSync(path.join(bare, 'package.json'), '{}')
  cpSync(installed, path.join(bare, 'node_modules/ferronext'), { recursive: true })
  for (const [name, manifest] of Object.entries(packages)) {
    mkdirSync(path.join(bare, 'node_modules', name))
    writeFileSync(path.join(bare, 'node_modules', name, 'package.json'), manifest)
  }
  return bare
}

describe.each(/** @type {const} */ (['server file', 'ferronext start', 'next({ dev: true })']))('%s', way => {
  /** @param {string} dir where the process runs @param {string} [folder] the option `dir` */
  const attempt = (dir, folder) => {
    if (way === 'ferronext start') {
      const own = path.join(dir, 'node_modules/ferronext/bin/ferronext.js')
      return run(dir, [existsSync(own) ? own : command, 'start', ...(folder ? [folder] : [])])
    }
    const dev = way === 'next({ dev: true })'
    const file = path.join(dir, 'attempt.cjs')
    // Options are looked at by next() itself in development, and by prepare() in production.
    serverFile(file, JSON.stringify({ dev, ...(folder && { dir: folder }) }))
    if (dev) {
      writeFileSync(
        file,
        `try { require('ferronext')(${JSON.stringify({ dev, ...(folder && { dir: folder }) })}) } catch (error) { console.log(error.code + ': ' + error.message); process.exit(1) }`,
      )
    }
    return run(dir, [file])
  }

  it('FERRONEXT_WRONG_DIR', async () => {
    expectOneLine(
      await attempt(app, './nowhere'),
      /^FERRONEXT_WRONG_DIR: The project folder .*nowhere does not exist\. Pass the folder/,
    )
  })

  it('FERRONEXT_NEXT_NOT_FOUND', async () => {
    expectOneLine(
      await attempt(project({})),
      /^FERRONEXT_NEXT_NOT_FOUND: Cannot find the package "next" from .*Run `npm install next`/,
    )
  })

  it.each([
    ['14.2.35', 'ferronext needs at least 15.5.0; upgrade `next`'],
    ['17.0.0', 'ferronext knows versions below 17; look for a newer ferronext'],
  ])('FERRONEXT_UNSUPPORTED_NEXT: %s', async (version, what) => {
    const dir = project({ next: JSON.stringify({ name: 'next', version }) })
    expectOneLine(
      await attempt(dir),
      new RegExp(`^FERRONEXT_UNSUPPORTED_NEXT: next ${version} is not supported: ${what}`),
    )
  })

  it.each([
    ['16.0.6', /React2Shell, CVE-2025-55182.*16\.2\.6/],
    ['16.4.6', null],
  ])('FERRONEXT_VULNERABLE_NEXT: %s', async (version, what) => {
    const { output } = await attempt(project({ next: JSON.stringify({ name: 'next', version }) }))
    const warnings = output.split('\n').filter(line => line.includes('FERRONEXT_VULNERABLE_NEXT'))
    expect(warnings).toEqual(what ? [expect.stringMatching(what)] : [])
  })

  it('FERRONEXT_NO_BINARY', async () => {
    const dir = project({ next: '{"name":"next","version":"16.4.6"}' })
    const ferronext = path.join(dir, 'node_modules/ferronext')
    for (const file of readdirSync(ferronext)) if (file.endsWith('.node')) rmSync(path.join(ferronext, file))
    const { code, output } = await attempt(dir)
    expect(output).toMatch(/FERRONEXT_NO_BINARY|ferronext has no native addon for/)
    expect(output).toMatch(/Install again without .*npx ferronext build-addon/)
    expect(code).toBe(1)
  })
})

describe('ferronext start', () => {
  it.each([
    [
      'a wrong type',
      'export default { basePath: 5 }\n',
      /next\.config\.mjs cannot be used: .*basePath is not a string, found type "number"$/,
    ],
    [
      'a wrong type that only the server reads',
      "export default { compress: 'yes' }\n",
      /cannot be used: `compress`: invalid type: string "yes", expected a boolean\.$/,
    ],
    ['a syntax error', 'export default {\n  a: [\n}\n', /next\.config\.mjs:3 cannot be used: SyntaxError: /],
    [
      'an error of its own',
      "\nthrow new Error('no database')\n",
      /next\.config\.mjs:2:\d+ cannot be used: no database$/,
    ],
    ['what is thrown is none', "throw 'text'\n", /next\.config\.mjs cannot be used: text$/],
    [
      'a function that fails',
      'export default async () => {\n  null.x\n}\n',
      /next\.config\.mjs:2:\d+ cannot be used: TypeError: /,
    ],
    ['a missing import', "import 'missing-package'\n", /next\.config\.mjs cannot be used: .*missing-package/],
    [
      'a pattern that is none',
      'export default { images: { remotePatterns: [{ hostname: 5 }] } }\n',
      /next\.config\.mjs cannot be used: /,
    ],
  ])('FERRONEXT_BAD_CONFIG: %s', async (_, text, message) => {
    const file = path.join(app, 'next.config.mjs')
    const before = readFileSync(file)
    rmSync(file)
    try {
      writeFileSync(file, text)
      const { code, output } = await run(app, [command, 'start'])
      // Upstream's loader says that much itself.
      const lines = output
        .trimEnd()
        .split('\n')
        .filter(line => !/Failed to load next\.config|^ ⚠|^⚠|^ {4}/.test(line))
      expect(lines).toEqual([expect.stringMatching(/^FERRONEXT_BAD_CONFIG: /)])
      expect(lines[0]).toMatch(message)
      expect(code).toBe(1)
    } finally {
      rmSync(file, { recursive: true })
      writeFileSync(file, before)
    }
  })

  it('FERRONEXT_CORRUPT_MANIFEST: a BUILD_ID without an id, and what is cut off', async () => {
    const build = (/** @type {string} */ name) => path.join(app, '.next', name)
    for (const [name, text, what] of [
      ['BUILD_ID', '', 'it is empty'],
      ['BUILD_ID', ' \n', 'it is empty'],
      ['routes-manifest.json', '', 'it is empty'],
      ['routes-manifest.json', '{"version": 3,\n "pages404"', 'it is cut off in line 2, column 11'],
      ['prerender-manifest.json', '{"version": 4, "routes": {"/": {', 'it is cut off in line 1'],
    ]) {
      const before = readFileSync(build(name))
      writeFileSync(build(name), text)
      expectOneLine(
        await run(app, [command, 'start']),
        new RegExp(
          `^FERRONEXT_CORRUPT_MANIFEST: .*${name.replace('.', '\\.')} is not a valid manifest: ${what}.*Run \`next build\` again\\.$`,
        ),
      )
      writeFileSync(build(name), before)
    }
  })

  it('FERRONEXT_NO_BUILD and FERRONEXT_CORRUPT_MANIFEST', async () => {
    const build = path.join(app, '.next')
    writeFileSync(path.join(build, 'routes-manifest.json'), '{"version": 3')
    expectOneLine(
      await run(app, [command, 'start']),
      /^FERRONEXT_CORRUPT_MANIFEST: .*routes-manifest\.json is not a valid manifest: .*Run `next build` again\.$/,
    )
    rmSync(path.join(build, 'BUILD_ID'))
    const none = await run(app, [command, 'start'])
    expectOneLine(none, /^FERRONEXT_NO_BUILD: .*next build/)
    expect(none.output).toContain(`the '.next' directory of ${app}.`)
  })

  it('FERRONEXT_PORT_TAKEN and FERRONEXT_CANNOT_LISTEN', async () => {
    const other = createServer()
    await new Promise(resolve => other.listen(0, () => resolve(undefined)))
    const { port } = /** @type {import('node:net').AddressInfo} */ (other.address())
    expectOneLine(
      await run(app, [command, 'start', '-p', String(port)]),
      new RegExp(`^FERRONEXT_PORT_TAKEN: Port ${port} is already in use\\. End what listens there, or choose another`),
    )
    other.close()
    // An address of documentation (RFC 5737), which no machine has.
    expectOneLine(
      await run(app, [command, 'start', '-H', '192.0.2.1']),
      /^FERRONEXT_CANNOT_LISTEN: Cannot listen on 192\.0\.2\.1, port \d+: .*--hostname and --port/,
    )
  })

  it('FERRONEXT_NO_SERVER_FILE and FERRONEXT_BAD_ARGUMENT', async () => {
    expectOneLine(
      await run(app, [command, 'start', 'missing.js']),
      /^FERRONEXT_NO_SERVER_FILE: There is no server file .*missing\.js\./,
    )
    for (const [args, what] of /** @type {[string[], RegExp][]} */ ([
      [['strat'], /no command "strat"/],
      [['start', '--prot', '1'], /Unknown option '--prot'/],
      [['start', '-p', 'http'], /--port takes a number from 0 to 65535, not "http"/],
      [['start', '-p', '70000'], /--port takes a number/],
      [['start', 'a', 'b'], /One server file or folder is enough/],
      [['start', '--access-log', 'xml'], /--access-log takes text or json/],
      [['dev', '--webpack', '--turbo'], /either --turbopack or --webpack/],
      [['start', '--inspect=nowhere'], /--inspect takes a port/],
      [['start', '--trust-origin'], /--trust-origin needs --trust-proxy/],
    ])) {
      const { code, output } = await run(app, [command, ...args])
      expect([code, output.trimEnd().split('\n').length]).toEqual([2, 1])
      expect(output).toMatch(/^FERRONEXT_BAD_ARGUMENT: /)
      expect(output).toMatch(what)
    }
  })
})

describe('the other commands', () => {
  it('ferronext info: FERRONEXT_WRONG_DIR', async () => {
    expectOneLine(
      await run(app, [command, 'info', 'nonexist']),
      /^FERRONEXT_WRONG_DIR: There is no folder .*nonexist\.$/,
    )
  })

  it.each(['start', 'dev', 'info', 'standalone', 'build-addon'])(
    '%s has a help, whatever else is asked',
    async name => {
      const { code, output } = await run(app, [command, name, '--help'])
      expect([code, output]).toEqual([0, expect.stringMatching(new RegExp(`^Usage: ferronext ${name}`))])
      expect(output.trim().split('\n').length).toBeGreaterThan(2)
      for (const other of [
        ['help', name],
        ['--help', name],
        [name, '--no-such-option', '-h'],
      ]) {
        expect(await run(app, [command, ...other])).toEqual({ code, output })
      }
    },
  )
})

describe('FERRONEXT_TWO_COPIES', () => {
  it('the second copy refuses to make an app, and names both', async () => {
    const dir = project({})
    symlinkSync(path.dirname(installed), path.join(bare, 'others'))
    writeFileSync(
      path.join(dir, 'two.cjs'),
      `const first = require('ferronext')
const second = require('./others/ferronext')
first({ dev: false })
first({ dev: false })
try { second({ dev: false }) } catch (error) { console.log(error.code + ': ' + error.message); process.exit(1) }`,
    )
    const result = await run(dir, ['two.cjs'])
    expectOneLine(
      result,
      /^FERRONEXT_TWO_COPIES: Two copies of ferronext want to serve from this process: .*bare-\d+.* and .*npm dedupe/,
    )
    expect(result.output).toContain(installed)
  })
})

describe.runIf(NODES_ARE_HERE)('FERRONEXT_UNSUPPORTED_NODE', () => {
  it('whatever is loaded first says so', async () => {
    const old = await nodeBuild(18)
    const sentence = /ferronext needs Node\.js 20\.9 or later, and .*node is 18\.20\.8\. Install a newer Node\.js/
    expectOneLine(
      await run(app, [command, 'start'], old),
      new RegExp(`^FERRONEXT_UNSUPPORTED_NODE: ${sentence.source}`),
    )
    for (const args of [
      ['-e', 'require("ferronext")'],
      ['-r', 'ferronext/register', '-e', ''],
      ['--import', 'ferronext/register', '-e', ''],
    ]) {
      const { code, output } = await run(app, args, old)
      expect(output).toMatch(sentence)
      expect(output).toContain("code: 'FERRONEXT_UNSUPPORTED_NODE'")
      expect(code).toBe(1)
    }
  })
})
