// What ferronext loads of `next` stands in one table, runtime/next/modules.js: nothing else names a module, and every row is right.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { MODULES } from '../../runtime/next/modules.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const require = createRequire(import.meta.url)

/** @type {[string, import('../../runtime/next/modules.js').Module][]} */
const rows = Object.entries(MODULES)

/** The code of runtime/ and bin/ without comments, by file; those of runtime/ as the table has them. @type {Map<string, string>} */
const code = new Map(
  ['runtime', 'bin'].flatMap(folder =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => /\.m?js$/.test(name) && path.join(folder, name) !== path.join('runtime', 'next', 'modules.js'))
      .map(name => {
        const text = readFileSync(path.join(root, folder, name), 'utf8')
        const bare = text.replace(/\/\*.*?\*\//gs, '').replace(/(^|\s)\/\/.*$/gm, '')
        const file = name.split(path.sep).join('/')
        return /** @type {[string, string]} */ ([folder === 'bin' ? `bin/${file}` : file, bare])
      }),
  ),
)

/** The files that load a module by its name in the table. @param {string} name */
const usersOf = name =>
  [...code]
    .filter(([, text]) => {
      if (new RegExp(`\\b(?:load|loadLazily|fileOf)\\(\\s*'${name}'`).test(text)) return true
      const [, lazy = ''] = /\.loadLazily\('\w+', \{(.*?)\n {2}\}\)/s.exec(text) ?? []
      return new RegExp(`^ {4}${name}: `, 'm').test(lazy)
    })
    .map(([file]) => file)

it('no other file names a module of `next`', () => {
  expect(code.size).toBeGreaterThan(50)
  const ids = rows.map(([, { id }]) => id)
  const wrong = [...code].flatMap(([file, text]) =>
    [...text.matchAll(/(['"`])((?:[^'"`\n]*[^'"`\n\w])?next\/dist\/[^'"`\n]*|react-dom\/[^'"`\n]*|@next\/env)\1/g)].map(
      ([, , id = '']) => `${file}: ${id}`,
    ),
  )
  expect(wrong).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
})

it.each(rows)('%s has the users that the table names', (name, { preload, users }) => {
  expect([...users].sort()).toEqual(usersOf(name).sort())
  expect(users.length > 0 || preload !== undefined).toBe(true)
})

it('nothing is loaded by a name that the table does not have', () => {
  const names = [...code.values()].flatMap(text =>
    [...text.matchAll(/\.(?:load|loadLazily|fileOf)\('(\w+)'/g)].map(([, name = '']) => name),
  )
  expect(names.filter(name => !(name in MODULES))).toEqual([])
})

it('the version that is installed here has what the table says', () => {
  const manifest = require.resolve('next/package.json')
  const nextRequire = createRequire(manifest)
  const { satisfies } = require('next/dist/compiled/semver')
  const { version } = require(manifest)
  for (const [name, { id, versions }] of rows) {
    const resolve = () => (id.startsWith('next/') ? require : nextRequire).resolve(id)
    if (versions === undefined || satisfies(version, versions)) expect(resolve, name).not.toThrow()
    else expect(resolve, name).toThrow()
  }
})
