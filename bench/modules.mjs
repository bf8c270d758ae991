// Loads CommonJS files, and JSX made into CommonJS, with names that lead where the caller says. Two sets of them hold two Reacts in one process:
// the one of server components, and the one that makes HTML.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { compileFunction } from 'node:vm'
import typescript from 'typescript'

const builtin = createRequire(import.meta.url)

/**
 * @param {Record<string, string | object>} names what `require(name)` gives: a file, or the module itself
 * @returns {(file: string) => any}
 */
export function makeLoader(names) {
  /** @type {Map<string, { exports: any }>} */
  const loaded = new Map()
  /** @param {string} file @returns {any} */
  function load(file) {
    const found = loaded.get(file)
    if (found) return found.exports
    const module = { exports: {} }
    loaded.set(file, module)
    const require = (/** @type {string} */ name) => {
      if (name.startsWith('.')) return load(resolve(path.resolve(path.dirname(file), name)))
      const known = Object.hasOwn(names, name) ? names[name] : builtin(name)
      return typeof known === 'string' ? load(known) : known
    }
    compileFunction(compile(file), ['require', 'module', 'exports'], { filename: file })(
      require,
      module,
      module.exports,
    )
    return module.exports
  }
  return load
}

/** @param {string} file without its extension, maybe */
const resolve = file => (/\.(c?js|jsx)$/.test(file) ? file : `${file}.jsx`)

/** @param {string} file */
function compile(file) {
  const source = readFileSync(file, 'utf8')
  if (!file.endsWith('.jsx')) return source
  const { ModuleKind, ScriptTarget, JsxEmit } = typescript
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, jsx: JsxEmit.ReactJSX }
  return typescript.transpileModule(source, { fileName: file, compilerOptions }).outputText
}
