// What Rust and JavaScript must agree on is the same on both sides.
import { createRequire } from 'node:module'
import path from 'node:path'
import { expect, it } from 'vitest'
import { ensureWorkspace, installFerronext, NEWEST } from '../support/workspace.mjs'

const require = createRequire(import.meta.url)

it('the constants of runtime/ are those of the addon', async () => {
  const { dir } = await ensureWorkspace({ line: NEWEST })
  await installFerronext(dir)
  const root = path.join(dir, 'node_modules/ferronext')
  /** @type {typeof import('../../runtime/process/addon.js')} */
  const { loadAddon } = require(path.join(root, 'runtime/process/addon'))
  /** @type {typeof import('../../runtime/http/constants.js')} */
  const constants = require(path.join(root, 'runtime/http/constants'))
  expect({
    internalHeaders: constants.INTERNAL_HEADERS,
    previewCookies: constants.PREVIEW_COOKIES,
    noStore: constants.NO_STORE,
    middlewareCookiesHeader: constants.MIDDLEWARE_COOKIES_HEADER,
    repeatedHeaders: constants.REPEATED_HEADERS,
    internalServerError: constants.INTERNAL_SERVER_ERROR,
  }).toEqual(loadAddon(root).constants())
})
