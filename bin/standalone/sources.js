// In: the user's own source files, as the tracer asks for them. Out: JavaScript that Node runs as it is: types removed, imports
// of TypeScript files, of files without their ending and of tsconfig's `paths` turned into the files that will be there. Done by
// the project's own `typescript`.

const { existsSync, readFileSync, statSync } = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { codedError } = require('../../runtime/errors')

const TYPESCRIPT = /\.([cm]?)tsx?$/
const ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json']

/** The file that a source becomes. @param {string} file */
const emittedName = file => (file.endsWith('.d.ts') ? file : file.replace(TYPESCRIPT, '.$1js'))

class Sources {
  /** The user's own files that were read. @type {string[]} */
  files = []
  /** What each of them becomes. @type {Map<string, string>} */
  #emitted = new Map()
  #app
  /** @type {any} */
  #compiler
  /** @type {any} */
  #options

  /** @param {import('./trace').App} app */
  constructor(app) {
    this.#app = app
  }

  /** The JavaScript of a file that is not to be copied as it is. @param {string} file */
  emitted(file) {
    return this.#emitted.get(file)
  }

  /**
   * What the tracer reads.
   * @param {string} file
   * @returns {string | Buffer | null}
   */
  read(file) {
    const known = this.#emitted.get(file)
    if (known !== undefined) return known
    try {
      if (!this.#isOwn(file)) return readFileSync(file)
      const text = readFileSync(file, 'utf8')
      this.files.push(file)
      // JavaScript that runs without a compiler is left alone.
      if (!TYPESCRIPT.test(file) && !this.#needsRewriting(file, text)) return text
      const code = this.#compile(file, text)
      this.#emitted.set(file, code)
      return code
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null
      throw error
    }
  }

  /**
   * Where an import of the user's own code leads, if that is another source of it: emitted code names emitted files, which
   * are not there yet.
   * @param {string} id
   * @param {string} parent
   */
  resolve(id, parent) {
    return this.#isOwn(parent) ? this.#source(id, parent) : undefined
  }

  /** A server's own code: below the project, no package, not what `next build` has made. @param {string} file */
  #isOwn(file) {
    const { distDir } = this.#app
    if (!/\.[cm]?[jt]sx?$/.test(file) || /[\\/]node_modules[\\/]/.test(file)) return false
    return !file.startsWith(distDir + path.sep) && !file.startsWith(path.join(__dirname, '../..') + path.sep)
  }

  /**
   * The user's file that an import means, if it is one that Node would not find by itself.
   * @param {string} id
   * @param {string} parent
   * @returns {string | undefined}
   */
  #source(id, parent) {
    const candidates = /^\.{0,2}[\\/]/.test(id)
      ? [path.resolve(path.dirname(parent), id)]
      : /^\.{1,2}$/.test(id)
        ? [path.resolve(path.dirname(parent), id)]
        : this.#aliases(id)
    for (const candidate of candidates) {
      const found = findSource(candidate)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** What tsconfig's `paths` make of an import. @param {string} id @returns {string[]} */
  #aliases(id) {
    const { paths, pathsBasePath, baseUrl } = this.#compilerOptions()
    const base = baseUrl ?? pathsBasePath ?? this.#app.dir
    for (const [pattern, targets] of Object.entries(paths ?? {})) {
      const [before, after] = pattern.split('*')
      const matches = after === undefined ? id === pattern : id.startsWith(before) && id.endsWith(after)
      if (!matches) continue
      const part = after === undefined ? '' : id.slice(before.length, id.length - after.length)
      return targets.map((/** @type {string} */ target) => path.resolve(base, target.replace('*', part)))
    }
    return baseUrl === undefined ? [] : [path.resolve(baseUrl, id)]
  }

  /** @param {string} file @param {string} text */
  #needsRewriting(file, text) {
    for (const [, id] of text.matchAll(/(?:from|import|require\()\s*\(?\s*['"]([^'"]+)['"]/g)) {
      if (TYPESCRIPT.test(this.#source(id, file) ?? '')) return true
    }
    return false
  }

  /** @param {string} file @param {string} text */
  #compile(file, text) {
    const ts = this.#typescript(file)
    const isModule = this.#isModule(file)
    const { experimentalDecorators, emitDecoratorMetadata, useDefineForClassFields, jsx, jsxImportSource } =
      this.#compilerOptions()
    const { outputText } = ts.transpileModule(text, {
      fileName: file,
      compilerOptions: {
        experimentalDecorators,
        emitDecoratorMetadata,
        useDefineForClassFields,
        jsxImportSource,
        jsx: jsx === undefined || jsx === ts.JsxEmit.Preserve ? ts.JsxEmit.ReactJSX : jsx,
        allowJs: true,
        esModuleInterop: true,
        target: ts.ScriptTarget.ES2022,
        module: isModule ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS,
      },
      transformers: { before: [this.#rewriteImports(ts, file)] },
    })
    return outputText
  }

  /**
   * Gives every import the name of the file that will be there.
   * @param {any} ts
   * @param {string} file
   */
  #rewriteImports(ts, file) {
    /** @param {any} node the text of an import */
    const rewritten = node => {
      const source = this.#source(node.text, file)
      if (source === undefined) return node
      const relative = path.relative(path.dirname(file), emittedName(source)).split(path.sep).join('/')
      return ts.factory.createStringLiteral(relative.startsWith('.') ? relative : `./${relative}`)
    }
    return (/** @type {any} */ context) => {
      const { factory } = context
      const visit = (/** @type {any} */ node) => {
        if (ts.isImportDeclaration(node)) {
          const { modifiers, importClause, moduleSpecifier, attributes } = node
          return factory.updateImportDeclaration(node, modifiers, importClause, rewritten(moduleSpecifier), attributes)
        }
        if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
          const { modifiers, isTypeOnly, exportClause, moduleSpecifier, attributes } = node
          const to = rewritten(moduleSpecifier)
          return factory.updateExportDeclaration(node, modifiers, isTypeOnly, exportClause, to, attributes)
        }
        if (ts.isExternalModuleReference(node) && ts.isStringLiteral(node.expression)) {
          return factory.updateExternalModuleReference(node, rewritten(node.expression))
        }
        if (ts.isCallExpression(node) && node.arguments.length > 0 && ts.isStringLiteralLike(node.arguments[0])) {
          const { kind, escapedText } = node.expression
          if (kind === ts.SyntaxKind.ImportKeyword || escapedText === 'require') {
            const [first, ...others] = node.arguments
            return factory.updateCallExpression(node, node.expression, node.typeArguments, [
              rewritten(first),
              ...others,
            ])
          }
        }
        return ts.visitEachChild(node, visit, context)
      }
      return (/** @type {any} */ root) => ts.visitNode(root, visit)
    }
  }

  /** @param {string} file */
  #typescript(file) {
    try {
      this.#compiler ??= createRequire(path.join(this.#app.dir, 'package.json'))('typescript')
    } catch (cause) {
      throw codedError(
        'FERRONEXT_NO_TYPESCRIPT',
        `${file} is TypeScript, and the package typescript is not installed in ${this.#app.dir}. \`npm install --save-dev typescript\` does it.`,
        cause,
      )
    }
    return this.#compiler
  }

  /** Of the tsconfig that the documentation gives a custom server, else of the project's. @returns {any} */
  #compilerOptions() {
    if (this.#options) return this.#options
    const { dir } = this.#app
    const file = ['tsconfig.server.json', 'tsconfig.json', 'jsconfig.json']
      .map(name => path.join(dir, name))
      .find(existsSync)
    if (!file) {
      this.#options = {}
      return this.#options
    }
    const ts = this.#typescript(file)
    const { config, error } = ts.readConfigFile(file, ts.sys.readFile)
    if (error)
      throw codedError('FERRONEXT_BAD_CONFIG', `${file}: ${ts.flattenDiagnosticMessageText(error.messageText, ' ')}`)
    this.#options = ts.parseJsonConfigFileContent(config, ts.sys, dir).options
    return this.#options
  }

  /** Whether a file is an ES module, by its name and its package. @param {string} file */
  #isModule(file) {
    const [, mark] = /\.([cm]?)[jt]sx?$/.exec(file) ?? []
    if (mark) return mark === 'm'
    for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
      const manifest = path.join(dir, 'package.json')
      if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).type === 'module'
      if (dir === path.dirname(dir)) return false
    }
  }
}

/**
 * The file that is meant by a path: itself, with an ending, the TypeScript behind a `.js`, or a folder's index.
 * @param {string} candidate
 */
function findSource(candidate) {
  const behind = candidate.replace(/\.([cm]?)js(x?)$/, '.$1ts$2')
  const tries = [
    candidate,
    behind,
    `${behind}x`,
    ...ENDINGS.map(ending => candidate + ending),
    ...ENDINGS.map(ending => path.join(candidate, `index${ending}`)),
  ]
  return tries.find(file => /\.([cm]?[jt]sx?|json)$/.test(file) && existsSync(file) && statSync(file).isFile())
}

module.exports = { Sources, emittedName }
