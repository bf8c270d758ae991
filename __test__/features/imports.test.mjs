// Who may import whom: a stage of src/ and a room of runtime/ only what stands before it, and no module of runtime/ and bin/ leads back to
// itself.
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

/** Rooms and files of runtime/, the ground floor first. A room imports itself and what stands before it. */
const ROOMS = [
  'errors',
  'next',
  'observe',
  'process',
  'http',
  'cache',
  'entry',
  'entry/fast',
  'entry/fast/middleware',
  'steps',
  'app',
]

/** What is imported from outside: entry points of the package, and the command. */
const ENTRY_POINTS = ['index.js', 'runtime/register.js', 'bin']

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
    for (const [, to = ''] of code.matchAll(/\bcrate::(\w+|\{)/g)) {
      // A group would hide what it names.
      if (to === '{' || rankOf(to) > rankOf(from)) wrong.push(`${file} knows ${to}`)
    }
  }
  expect(wrong).toEqual([])
})

/** What each file of runtime/ and bin/ imports, types apart. @returns {Map<string, string[]>} */
function imports() {
  const files = ['runtime', 'bin'].flatMap(folder => filesBelow(folder, /\.m?js$/))
  expect(files.length).toBeGreaterThan(50)
  return new Map(
    files.map(file => {
      const code = read(file).replace(/\/\*\*.*?\*\//gs, '')
      const targets = [...code.matchAll(/\b(?:require\(|require\.resolve\(|from |import\()'(\.[^']+)'/g)].map(
        ([, id = '']) => path.join(path.dirname(file), id),
      )
      return [file, targets.map(target => (/\.(m?js|json)$/.test(target) ? target : `${target}.js`))]
    }),
  )
}

it('every room of runtime/ imports only those before it', () => {
  /** `entry/fast` for runtime/entry/fast/paths.js, `errors` for runtime/errors.js. @param {string} file */
  const roomOf = file => {
    const [, ...parts] = file.replace(/\.m?js$/, '').split(path.sep)
    return parts.length === 1 ? parts.join() : parts.slice(0, -1).join('/')
  }
  const wrong = []
  for (const [file, targets] of imports()) {
    if (ENTRY_POINTS.some(entry => path.normalize(entry) === file || file.startsWith(`${entry}${path.sep}`))) continue
    const rank = ROOMS.indexOf(roomOf(file))
    expect(rank, `${file} is in no room`).toBeGreaterThanOrEqual(0)
    for (const target of targets) {
      const isInside = target.startsWith(`runtime${path.sep}`)
      if (target.endsWith('.json') && isInside) continue
      const to = isInside ? ROOMS.indexOf(roomOf(target)) : -1
      if (to < 0 || to > rank) wrong.push(`${file} imports ${target}`)
    }
  }
  expect(wrong).toEqual([])
})

it('no file has more than 450 lines, tests apart', () => {
  const files = ['runtime', 'bin', 'src'].flatMap(folder => filesBelow(folder, /\.(m?js|rs)$/))
  expect(files.length).toBeGreaterThan(200)
  expect(files.filter(file => !/tests?\.rs$/.test(file) && read(file).split('\n').length > 451)).toEqual([])
})

it('no module of runtime/ and bin/ leads back to itself', () => {
  const imported = imports()
  /** @type {string[]} */
  const circles = []
  const done = new Set()
  /** @param {string} file @param {string[]} way */
  const walk = (file, way) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '))
    if (way.includes(file) || done.has(file)) return
    for (const next of imported.get(file) ?? []) walk(next, [...way, file])
    done.add(file)
  }
  for (const file of imported.keys()) walk(file, [])
  expect(circles).toEqual([])
})
