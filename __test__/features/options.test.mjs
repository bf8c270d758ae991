// What next() accepts, what it refuses and how: the same as upstream's next(), side by side where upstream's decides.

import { createRequire } from 'node:module'
import path from 'node:path'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

/** @type {any} */
let ferronext
/** @type {any} */
let upstream

beforeAll(async () => {
  const { dir } = await ensureWorkspace({ line: '16.4' })
  await installFerronext(dir)
  const require = createRequire(path.join(dir, 'package.json'))
  ferronext = require('ferronext')
  upstream = require('next')
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** @param {() => unknown} call */
function messageOf(call) {
  try {
    call()
  } catch (error) {
    return /** @type {Error} */ (error).message
  }
  return undefined
}

describe('next(options)', () => {
  it('is the module itself, its default export and its ES default', async () => {
    expect(ferronext).toBeTypeOf('function')
    expect(ferronext.default).toBe(ferronext)
  })

  it.each([undefined, null])('refuses %s with upstream’s message', options => {
    const expected = messageOf(() => upstream(options))
    expect(expected).toContain('has not been instantiated properly')
    expect(messageOf(() => ferronext(options))).toBe(expected)
  })

  it('refuses both bundlers', () => {
    vi.stubEnv('TURBOPACK', undefined)
    expect(messageOf(() => ferronext({ webpack: true, turbopack: true }))).toBe(
      'Pass either `webpack` or `turbopack`, not both.',
    )
  })

  it('warns of a `dev` that is not a boolean, as upstream does', () => {
    /** @type {string[]} */
    const warnings = []
    vi.spyOn(console, 'warn').mockImplementation(text => warnings.push(text))
    vi.stubEnv('NODE_ENV', 'test')
    ferronext({ dev: 'yes', dir: path.dirname(new URL(import.meta.url).pathname) })
    expect(warnings).toContain(
      "Warning: 'dev' is not a boolean which could introduce unexpected behavior. https://nextjs.org/docs/messages/invalid-server-options",
    )
  })

  it('returns an app with upstream’s shape', () => {
    const options = { dir: '.', hostname: 'h.example', port: 8080, quiet: true }
    const ours = ferronext(options)
    const theirs = upstream(options)
    expect(ours.options).toEqual(theirs.options)
    expect([ours.hostname, ours.port]).toEqual([theirs.hostname, theirs.port])
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(theirs)).filter(
      // Getters and helpers that upstream's own code uses, none of them documented.
      name =>
        !['constructor', 'getInit', 'requestHandler', 'upgradeHandler', 'server', 'setupWebSocketHandler'].includes(
          name,
        ),
    )
    for (const name of methods) expect(name in ours, name).toBe(true)
  })

  it('refuses a request before prepare() with upstream’s message', async () => {
    const rejection = 'prepare() must be called before performing this operation'
    await expect(upstream({}).getRequestHandler()({}, {})).rejects.toThrow(rejection)
    await expect(ferronext({}).getRequestHandler()({}, {})).rejects.toThrow(rejection)
  })

  it.each([80.5, -1, 65_536, 'http', '80a', {}])('refuses the port %j and names it', port => {
    expect(() => ferronext({ port })).toThrow(/`port` of next\(\) has to be a number from 1 to 65535/)
    expect(() => ferronext({ port })).toThrow(expect.objectContaining({ code: 'FERRONEXT_BAD_OPTION' }))
  })

  it.each([undefined, null, 0, '', 80, '8080'])('takes the port %j', port => {
    expect(ferronext({ port }).port).toBe(port)
  })
})
