// Who may know whom: a stage of src/ only what stands before it, and no module of runtime/ and bin/ itself by a detour.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Folders and files of src/, the ground floor first; two of one rank may know each other. */
const RANKS = [
  ['error', 'priority'],
  ['body'],
  ['http'],
  ['config'],
  ['url'],
  ['build'],
  ['request'],
  ['route'],
  ['source'],
  ['answer'],
  ['engine'],
  ['pipeline'],
  ['fuzzed', 'binding'],
]

/** @param {string} folder @param {RegExp} pattern @returns {string[]} */
const filesBelow = (folder, pattern) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(name => path.join(folder, name))
    .filter(name => pattern.test(name) && statSync(path.join(root, name)).isFile())

/** @param {string} file */
const read = file => readFileSync(path.join(root, file), 'utf8')

it('every stage of src/ knows only those before it', () => {
  const rankOf = (/** @type {string} */ name) => RANKS.findIndex(rank => rank.includes(name))
  const wrong = []
  for (const file of filesBelow('src', /\.rs$/)) {
    const [, from = ''] = /^src[\\/](\w+)/.exec(file) ?? []
    if (from === 'lib') continue
    expect(rankOf(from), `${file} has no rank`).toBeGreaterThanOrEqual(0)
    // Tests may build what they ask from anything.
    const [code = ''] = read(file).split(/^#\[cfg\(test\)\]\nmod /m)
    if (/tests?(\.rs|[\\/])|hostile|oracle/.test(file)) continue
    for (const [, to = ''] of code.matchAll(/\bcrate::(\w+)/g)) {
      if (rankOf(to) > rankOf(from)) wrong.push(`${file} knows ${to}`)
    }
  }
  expect(wrong).toEqual([])
})

it('no module of runtime/ and bin/ leads back to itself', () => {
  /** @type {Map<string, string[]>} */
  const imports = new Map()
  for (const file of ['runtime', 'bin'].flatMap(folder => filesBelow(folder, /\.m?js$/))) {
    const code = read(file).replace(/\/\*\*.*?\*\//gs, '')
    const targets = [...code.matchAll(/\b(?:require\(|from |import\()'(\.[^']+)'/g)].map(([, id = '']) =>
      path.join(path.dirname(file), id),
    )
    imports.set(
      file,
      targets.map(target => (/\.(m?js|json)$/.test(target) ? target : `${target}.js`)),
    )
  }
  expect(imports.size).toBeGreaterThan(50)
  /** @type {string[]} */
  const circles = []
  const done = new Set()
  /** @param {string} file @param {string[]} way */
  const walk = (file, way) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '))
    if (way.includes(file) || done.has(file)) return
    for (const next of imports.get(file) ?? []) walk(next, [...way, file])
    done.add(file)
  }
  for (const file of imports.keys()) walk(file, [])
  expect(circles).toEqual([])
})
