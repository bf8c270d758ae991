// In: what compiling the addon has left in `target/napi-types` (napi-derive's type definitions, a JSON object a line). Out: the types of the
// addon as TypeScript: what it exports (runtime/native.d.ts), and the objects that cross (runtime/native-objects.d.ts).

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { quick } from './cargo.mjs'
import { run } from './command.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Where .cargo/config.toml has them written. */
const WRITTEN = path.join(root, 'target/napi-types/ferronext')

const MADE = 'Made by `npm run docs` from src/binding.'

/** Kinds of definitions that exist in TypeScript alone. */
const OBJECTS = ['interface', 'type']

/** Rust's types are `JsStep`, JavaScript knows `Step`. */
const RUST_NAMES = /\bJs([A-Z]\w*)/g

/**
 * @typedef {object} Definition
 * @property {'interface' | 'type' | 'struct' | 'impl' | 'fn' | 'const'} kind
 * @property {string} name
 * @property {string} js_doc
 * @property {string} def
 */

/**
 * In the order of names, because napi-derive's own is that of compiling.
 *
 * @returns {Promise<Record<string, string>>} the files by name
 */
export async function nativeTypes() {
  const definitions = await read()
  const objects = definitions.filter(({ kind }) => OBJECTS.includes(kind))
  const methods = definitions.filter(({ kind }) => kind === 'impl')
  const exports = definitions.filter(definition => !objects.includes(definition) && !methods.includes(definition))
  const exported = exports.map(definition =>
    textOf(
      definition,
      methods.filter(({ name }) => name === definition.name),
    ),
  )
  const imported = objects
    .map(({ name }) => name)
    .filter(name => exported.some(text => RegExp(`\\b${name}\\b`).test(text)))
  return {
    'runtime/native.d.ts': formatted([
      `// What the addon exports. ${MADE}\n`,
      `import type { ${imported.join(', ')} } from './native-objects'\n`,
      "export * from './native-objects'\n",
      ...exported,
    ]),
    'runtime/native-objects.d.ts': formatted([
      `// Objects that cross between Rust and JavaScript. ${MADE}\n`,
      ...objects.map(definition => textOf(definition, [])),
    ]),
  }
}

/** @returns {Promise<Definition[]>} by name, in the order that Biome wants of imports */
async function read() {
  mkdirSync(path.dirname(WRITTEN), { recursive: true })
  await compile()
  if (!existsSync(WRITTEN)) {
    // What is compiled already is not compiled again, and has been elsewhere.
    const now = new Date()
    utimesSync(path.join(root, 'src/lib.rs'), now, now)
    await compile()
  }
  /** @type {Definition[]} */
  const definitions = readFileSync(WRITTEN, 'utf8')
    .replace(RUST_NAMES, '$1')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  return definitions.sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()))
}

/** @param {string} a @param {string} b */
const compare = (a, b) => Number(a > b) - Number(a < b)

/** As the lints do, so that they need not compile it for this. */
async function compile() {
  const { status } = await run('cargo', ['clippy', ...quick(), '--lib', '--', '-D', 'warnings'])
  if (status !== 0) process.exit(status)
}

/**
 * @param {Definition} definition
 * @param {Definition[]} methods of a class
 */
function textOf({ kind, name, js_doc: doc, def }, methods) {
  switch (kind) {
    case 'interface':
      return `${doc}export interface ${name} {\n${indented(def)}\n}\n`
    case 'type':
      // Each field comes on a line of its own, below its comment.
      return `${doc}export type ${name} =\n${def.trimEnd().replaceAll('; /**', '\n/**')}\n`
    case 'struct':
      return `${doc}export declare class ${name} {\n${methods.map(({ def }) => indented(def)).join('\n')}\n}\n`
    case 'fn':
      return `${doc}export declare ${def}\n`
    case 'const':
      return `${doc}${def.replace('export const', 'export declare const')}\n`
    default:
      throw new Error(`napi-derive writes definitions of a new kind: ${kind}`)
  }
}

/** @param {string} lines */
const indented = lines => lines.replaceAll(/^/gm, '  ')

/** @param {string[]} texts */
function formatted(texts) {
  const biome = path.join(root, 'node_modules/@biomejs/biome/bin/biome')
  const args = [biome, 'format', '--stdin-file-path=runtime/native.d.ts']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    input: texts.join('\n'),
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}
