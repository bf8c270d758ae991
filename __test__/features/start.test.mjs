// What starting leaves out until it is needed: parts of upstream's loader of next.config, and its copies of webpack.

import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ANY_PATH, ANY_PATH_REGEX } from '../../runtime/next/config.js'
import { buildFixture, copyApp, removeApp } from '../support/build.mjs'
import { sendRaw } from '../support/raw.mjs'
import { startServer } from '../support/server.mjs'
import { ensureWorkspace } from '../support/workspace.mjs'

const FIXTURE = fileURLToPath(new URL('../fixtures/pages-plain', import.meta.url))

describe.each((process.env.FERRONEXT_LINES ?? '16.4').split(','))('on %s', line => {
  /** @type {string} */
  let built
  /** @type {(() => unknown)[]} */
  const cleanUps = []
  beforeAll(async () => {
    built = (await buildFixture({ line, source: FIXTURE })).dir
  })
  afterAll(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp()
  })

  /** @param {{ config: string, text: string, engine?: import('../support/server.mjs').Engine }} options */
  async function serve({ config, text, engine = 'ferronext' }) {
    const dir = await copyApp(built, 'start')
    cleanUps.push(() => removeApp(dir))
    rmSync(path.join(dir, 'next.config.mjs'))
    writeFileSync(path.join(dir, config), text)
    writeFileSync(path.join(dir, 'started.mjs'), STARTED)
    const server = await startServer({ dir, engine, serverFile: 'started.mjs' })
    cleanUps.push(() => server.stop())
    const { headers } = await sendRaw({ port: server.port, target: '/' })
    const [, loaded] = /^loaded (.*)$/m.exec(server.output()) ?? []
    return { poweredBy: headers.some(([name]) => name.toLowerCase() === 'x-powered-by'), loaded: JSON.parse(loaded) }
  }

  it('leaves out what an ordinary configuration does not need', async () => {
    const { poweredBy, loaded } = await serve({ config: 'next.config.mjs', text: 'export default { compress: false }' })
    expect(poweredBy).toBe(true)
    expect(loaded).toEqual([])
  })

  // Older lines install TypeScript into the app for it.
  it.runIf(line === '16.4')('reads a configuration in TypeScript', async () => {
    const text = 'const poweredByHeader: boolean = false\nexport default { poweredByHeader }'
    const { poweredBy, loaded } = await serve({ config: 'next.config.ts', text })
    expect(poweredBy).toBe(false)
    expect(loaded).toContain('next/dist/build/next-config-ts/transpile-config')
  })

  it.each(['ferronext', 'upstream'])('gives a configuration the webpack of next: %s', async engine => {
    // The configuration shows by a header what it was given.
    const text = `const isOfNext = id => /next.dist.compiled/.test(require.resolve(id))
      module.exports = { poweredByHeader: ['webpack', 'webpack/lib/webpack', 'webpack-sources'].every(isOfNext) && typeof require('webpack').webpack === 'function' }`
    const { poweredBy } = await serve({ config: 'next.config.js', text, engine: /** @type {any} */ (engine) })
    expect(poweredBy).toBe(true)
  })

  it('knows what picomatch makes of the pattern for every path', async () => {
    const { dir } = await ensureWorkspace({ line })
    const { makeRe } = createRequire(path.join(dir, 'package.json'))('next/dist/compiled/picomatch')
    expect(ANY_PATH_REGEX).toBe(makeRe(ANY_PATH, { dot: true }).source)
  })
})

/** A custom server that tells what of `next` was loaded when it was ready. */
const STARTED = `import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import next from 'next'

const require = createRequire(import.meta.url)
const app = next({ dev: false })
await app.prepare()
const seldom = ['build/next-config-ts/transpile-config', 'shared/lib/match-remote-pattern', 'shared/lib/zod']
const loaded = seldom.map(id => 'next/dist/' + id).filter(id => require.cache[require.resolve(id)])
console.log('loaded ' + JSON.stringify(loaded))
const handle = app.getRequestHandler()
createServer((req, res) => handle(req, res)).listen(process.env.PORT, () => console.log('listening'))
`
