// `ferronext/register`: whose `next` becomes ferronext, and whose does not.

import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureWorkspace, installFerronext } from '../support/workspace.mjs'

const run = promisify(execFile)

/** @type {string} */
let app
/** @type {string} */
let dependency

/** Says which of the two a function is: upstream's app class and ours have different private parts. */
const WHO = `next => (String(next).includes('native') ? 'ferronext' : 'upstream')`

beforeAll(async () => {
  const { dir } = await ensureWorkspace({ line: '16.4' })
  await installFerronext(dir)
  app = path.join(dir, 'apps', `register-${process.pid}`)
  dependency = path.join(app, 'node_modules', 'dependency')
  mkdirSync(dependency, { recursive: true })
  writeFileSync(
    path.join(dependency, 'package.json'),
    '{"name":"dependency","exports":{"require":"./c.cjs","import":"./m.mjs"}}',
  )
  writeFileSync(path.join(dependency, 'c.cjs'), `module.exports = (${WHO})(require('next'))`)
  writeFileSync(path.join(dependency, 'm.mjs'), `import next from 'next'\nexport default (${WHO})(next)`)
  writeFileSync(
    path.join(app, 'server.cjs'),
    `const next = require('next')
const link = require('next/link')
console.log(JSON.stringify({ own: (${WHO})(next), dependency: require('dependency'), link: typeof link.default, fromNext: (${WHO})(require('next/dist/server/next').default) }))`,
  )
  writeFileSync(
    path.join(app, 'server.mjs'),
    `import next from 'next'
import dependency from 'dependency'
import link from 'next/link.js'
import upstream from 'next/dist/server/next.js'
console.log(JSON.stringify({ own: (${WHO})(next), dependency, link: typeof link.default, fromNext: (${WHO})(upstream.default) }))`,
  )
})

afterAll(() => rmSync(app, { recursive: true, force: true }))

describe('node with ferronext/register', () => {
  it.each([
    ['--import', 'server.cjs'],
    ['--import', 'server.mjs'],
    ['-r', 'server.cjs'],
    ['-r', 'server.mjs'],
  ])('%s %s changes the user’s own `next` and nothing else', async (flag, file) => {
    const { stdout } = await run(process.execPath, [flag, 'ferronext/register', file], { cwd: app })
    expect(JSON.parse(stdout)).toEqual({
      own: 'ferronext',
      dependency: 'upstream',
      link: 'object',
      fromNext: 'upstream',
    })
  })

  it('tells before a server starts what it would get', async () => {
    const told = async (/** @type {string[]} */ ...flags) =>
      (await run(process.execPath, [...flags, '-p', "require.resolve('next')"], { cwd: app })).stdout.trim()
    for (const flag of ['--import', '-r']) {
      expect(await told(flag, 'ferronext/register')).toMatch(/[\\/]ferronext[\\/]index\.js$/)
    }
    expect(await told()).toMatch(/[\\/]next[\\/]dist[\\/]server[\\/]next\.js$/)
  })

  it('changes nothing without the flag', async () => {
    const { stdout } = await run(process.execPath, ['server.mjs'], { cwd: app })
    expect(JSON.parse(stdout).own).toBe('upstream')
  })
})
