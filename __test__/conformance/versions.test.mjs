// Whether what differs between versions of Next.js is asked on both sides of its boundaries: by a case that says so, or by a test below.
import { cpSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askUntil } from '../support/ask.mjs'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { cleanEnvironment, freePort, startCommand } from '../support/command.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { ensureWorkspace, installFerronext, LINE_NAMES, LINES, NEWEST } from '../support/workspace.mjs'
import { suitesOf } from './cases/index.mjs'
import { ON_EVERY_LINE } from './line.mjs'

const addon = createRequire(import.meta.url)('../../runtime/process/addon').loadAddon(
  fileURLToPath(new URL('../..', import.meta.url)),
)

/** What each line does. @type {Record<string, boolean>[]} */
const CAPABILITIES = LINE_NAMES.map(line => addon.capabilitiesOf(LINES[line]))

/** What no answer shows: processes do, below, and the metric of fast paths, in features/unknown-next.test.mjs. */
const BESIDE_ANSWERS = new Set([
  'deprecatedMethods',
  'exitsWithSignal',
  'supportsPreviewProps',
  'isHandlerContextKnown',
  'isDocumentOutermost',
])

/** Whether a line has a capability. @param {string} name @param {string} line */
const heldBy = (name, line) => CAPABILITIES[LINE_NAMES.indexOf(line)]?.[name]

/** The lines whose usual run has a case for a capability. @param {string} name */
const linesWithCase = name =>
  LINE_NAMES.filter(line =>
    suitesOf(line)
      .filter(suite => ON_EVERY_LINE.has(suite.fixture))
      .some(({ cases }) => cases.some(({ shows }) => shows?.includes(name))),
  )

describe.each(Object.keys(CAPABILITIES[0] ?? {}))('%s', name => {
  it('is shown on both sides of a boundary', () => {
    const lines = BESIDE_ANSWERS.has(name) ? LINE_NAMES : linesWithCase(name)
    const shown = lines.map(line => heldBy(name, line))
    expect(new Set(shown)).toEqual(new Set([true, false]))
  })
})

it('no case names a capability that does not exist', () => {
  const names = new Set(Object.keys(CAPABILITIES[0] ?? {}))
  const named = LINE_NAMES.flatMap(line =>
    suitesOf(line).flatMap(({ cases }) => cases.flatMap(({ shows }) => shows ?? [])),
  )
  expect(named.filter(name => !names.has(name))).toEqual([])
})

const asked = (process.env.FERRONEXT_LINES ?? NEWEST).split(',')

describe.each(asked)('on %s', line => {
  /** @type {string} */
  let dir
  beforeAll(async () => {
    const { dir: built } = await buildFixture({
      line,
      source: fileURLToPath(new URL('../fixtures/versions', import.meta.url)),
    })
    dir = await copyApp(built, 'processes')
  })
  afterAll(() => removeApp(dir))

  it('deprecatedMethods: the same methods warn, once each', async () => {
    cpSync(fileURLToPath(new URL('../servers/custom.mjs', import.meta.url)), path.join(dir, 'custom.mjs'))
    const warnings = []
    for (const engine of /** @type {const} */ (['upstream', 'ferronext'])) {
      const server = await startServer({ dir, engine, serverFile: 'custom.mjs' })
      for (const method of ['render', 'render', 'renderToHTML', 'render404']) {
        const call = encodeURIComponent(JSON.stringify({ method, args: method === 'render404' ? [] : ['/ssr'] }))
        await sendRaw({ port: server.port, target: '/x', headers: { 'x-call': call } })
      }
      await server.stop()
      // What to do instead is said in our own words.
      warnings.push(server.output().match(/`app\.\w+\(\)` method is deprecated/g) ?? [])
    }
    expect(warnings[1]).toEqual(warnings[0])
    expect(warnings[0]?.length).toBe(heldBy('deprecatedMethods', line) ? 3 : 0)
  })

  it('exitsWithSignal: `start` ends with the same exit code', async () => {
    const { dir: workspace } = await ensureWorkspace({ line })
    await installFerronext(workspace)
    const codes = []
    for (const cli of ['next/dist/bin/next', 'ferronext/bin/ferronext.js']) {
      const port = await freePort()
      const args = [path.join(workspace, 'node_modules', cli), 'start', '-p', String(port)]
      const started = startCommand(process.execPath, args, {
        cwd: dir,
        env: { ...cleanEnvironment(), NODE_ENV: 'production' },
      })
      expect(await started.printed(/http:\/\//)).toBe(true)
      await askUntil(port, '/isr', ({ status }) => status === 200)
      started.signal('SIGTERM')
      codes.push(await started.ended)
    }
    expect(codes[1]).toEqual(codes[0])
    expect(codes[0]).toBe(heldBy('exitsWithSignal', line) ? 143 : 0)
  })
})
