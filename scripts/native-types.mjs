// In: what compiling the addon has left in `target/napi-types` (napi-derive's type definitions, a JSON object a line). Out: the types of the
// addon as TypeScript, runtime/native.d.ts.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { quick } from './cargo.mjs'
import { run } from './command.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Where .cargo/config.toml has them written. */
const WRITTEN = path.join(root, 'target/napi-types/ferronext')

const HEAD = `// The addon. Made by \`npm run docs\` from src/binding.\n`

/** Rust's types are `JsStep`, JavaScript knows `Step`. */
const RUST_NAMES = /\bJs([A-Z]\w*)/g

/**
 * @typedef {object} Definition
 * @property {'interface' | 'type' | 'struct' | 'impl' | 'fn' | 'const'} kind
 * @property {string} name
 * @property {string} js_doc
 * @property {string} def
 */

/** @returns {Promise<string>} the content of runtime/native.d.ts, in the order of names, because napi-derive's own is that of compiling */
export async function nativeTypes() {
  mkdirSync(path.dirname(WRITTEN), { recursive: true })
  await compile()
  if (!existsSync(WRITTEN)) {
    // What is compiled already is not compiled again, and has been elsewhere.
    const now = new Date()
    utimesSync(path.join(root, 'src/lib.rs'), now, now)
    await compile()
  }
  const lines = readFileSync(WRITTEN, 'utf8').trim().split('\n')
  /** @type {Definition[]} */
  const definitions = lines.map(line => JSON.parse(line))
  const isMethods = (/** @type {Definition} */ { kind }) => kind === 'impl'
  const methods = definitions.filter(isMethods)
  const texts = definitions
    .filter(definition => !isMethods(definition))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(definition =>
      textOf(
        definition,
        methods.filter(({ name }) => name === definition.name),
      ),
    )
  return formatted([HEAD, ...texts].join('\n').replace(RUST_NAMES, '$1'))
}

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

/** @param {string} text */
function formatted(text) {
  const biome = path.join(root, 'node_modules/@biomejs/biome/bin/biome')
  const args = [biome, 'format', '--stdin-file-path=runtime/native.d.ts']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, input: text, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}
