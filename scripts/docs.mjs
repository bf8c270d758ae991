// Writes what is made from code: in docs/reference differences.md from the list that the conformance tests read, and api.md from index.d.ts; in
// docs/internals headers.md from the sources; and the types of the addon, runtime/native.d.ts, from src/binding. `--check` writes nothing and fails when a page is not what it would write; `npm run lint` asks that.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { AREAS, DIFFERENCES } from '../__test__/conformance/differences.mjs'
import { headersPage } from './headers.mjs'
import { nativeTypes } from './native-types.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

const MADE = (/** @type {string} */ source) => `<!-- Made by \`npm run docs\` from ${source}. -->\n`

function differences() {
  const areas = Object.entries(AREAS).map(([area, title]) => ({
    title,
    entries: DIFFERENCES.filter(difference => difference.area === area),
  }))
  const index = areas.map(({ title, entries }) => {
    const links = entries.map(({ id }) => `[${id}](#${id})`)
    return `- **[${title}](#${anchor(title)})**: ${links.join(', ')}`
  })
  const sections = areas.map(({ title, entries }) => `## ${title}\n\n${entries.map(differenceOf).join('\n')}`)
  return `${MADE('__test__/conformance/differences.mjs')}
# Deliberate differences

The conformance tests send the same raw requests to Next.js and to ferronext, over the same build, and compare status, headers and
body. What differs on purpose is listed here, each difference with its reason; one that no request shows any more fails the run.
"Upstream" is the server of Next.js.

${index.join('\n')}

${sections.join('\n')}`
}

/** @param {typeof DIFFERENCES[number]} difference */
function differenceOf({ id, lines, reason, test }) {
  const where = lines ? ` Next.js ${lines.join(', ')}.` : ''
  return `### ${id}\n\n${reason}${where}\n\n[Tested](../../${test})\n`
}

/** The anchor of a heading, for headings of words. @param {string} title */
const anchor = title =>
  title
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')

function api() {
  const file = path.join(root, 'index.d.ts')
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  /** @type {string[]} */
  const parts = []
  source.forEachChild(node => {
    if (ts.isFunctionDeclaration(node)) parts.unshift(functionOf(node))
    else if (ts.isModuleDeclaration(node) && node.body && ts.isModuleBlock(node.body)) {
      for (const inner of node.body.statements) parts.push(...declarationOf(inner))
    }
  })
  return `${MADE('index.d.ts')}\n# API\n\n${parts.join('\n')}`
}

/** @param {ts.Node} node */
function functionOf(node) {
  return `## \`next(options)\`\n\n${block(codeOf(node).replace(/^declare /, ''))}\n${commentOf(node)}`
}

/** @param {ts.Node} node @returns {string[]} */
function declarationOf(node) {
  if (ts.isTypeAliasDeclaration(node)) return [`## \`${node.name.text}\`\n\n${commentOf(node)}\n${block(codeOf(node))}`]
  if (!ts.isInterfaceDeclaration(node)) return []
  const members = node.members.filter(member => !isInternal(member)).map(member => memberOf(member))
  return [`## \`${node.name.text}\`\n\n${commentOf(node)}\n${members.join('\n')}`]
}

/** @param {ts.TypeElement} member */
function memberOf(member) {
  const name = member.name?.getText() ?? ''
  return `### \`${ts.isMethodSignature(member) ? `${name}()` : name}\`\n\n${block(codeOf(member))}\n${commentOf(member)}`
}

/** @param {ts.Node} node */
const isInternal = node => ts.getJSDocTags(node).some(tag => tag.tagName.text === 'internal')

/** The text of a declaration without what indents it where it stands. @param {ts.Node} node */
function codeOf(node) {
  const text = node.getText()
  const indent = /\n( *)[^\s][^\n]*$/.exec(text)?.[1] ?? ''
  return text.replaceAll(`\n${indent}`, '\n')
}

/** @param {string} code */
const block = code => `\`\`\`ts\n${code}\n\`\`\`\n`

/** The doc comment, and what its tags say. @param {ts.Node} node */
function commentOf(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(part => ts.isJSDoc(part))
  if (!doc) return ''
  const text = (/** @type {any} */ part) => ts.getTextOfJSDocComment(part.comment) ?? ''
  const tags = (doc.tags ?? []).map(tag => {
    if (tag.tagName.text === 'deprecated') return `**Deprecated** ${text(tag)}\n`
    if (tag.tagName.text === 'throws')
      return `**Throws** ${tag
        .getText()
        .replace(/^@throws\s*/, '')
        .replace(/\s*\*\s*/g, ' ')
        .trim()}\n`
    return ''
  })
  return [text(doc) && `${text(doc)}\n`, ...tags].filter(Boolean).join('\n')
}

const page = (/** @type {string} */ text) => `${text.trimEnd().replace(/\n{3,}/g, '\n\n')}\n`

/** @type {Record<string, string>} */
const FILES = {
  'docs/reference/differences.md': page(differences()),
  'docs/reference/api.md': page(api()),
  'docs/internals/headers.md': page(`${MADE('src and runtime')}\n${headersPage()}`),
  ...(await nativeTypes()),
}

const isCheck = process.argv.includes('--check')
for (const [name, text] of Object.entries(FILES)) {
  const file = path.join(root, name)
  if (!isCheck) writeFileSync(file, text)
  else if (readOr(file) !== text) {
    console.error(`${name} is not what its source says. \`npm run docs\` writes it.`)
    process.exitCode = 1
  }
}

checkCodes()

/** Every code that an error can carry has its paragraph. */
function checkCodes() {
  const told = readFileSync(path.join(root, 'docs/reference/errors.md'), 'utf8')
  const files = ['index.js', 'bin', 'runtime', 'src'].flatMap(name => filesOf(path.join(root, name)))
  const codes = new Set(
    files.flatMap(file =>
      [...readFileSync(file, 'utf8').matchAll(/['"](FERRONEXT_[A-Z_]+)['"]/g)].map(([, code]) => code),
    ),
  )
  for (const code of codes) {
    if (told.includes(`## ${code}\n`)) continue
    console.error(`docs/reference/errors.md says nothing of ${code}.`)
    process.exitCode = 1
  }
}

/** @param {string} entry @returns {string[]} */
function filesOf(entry) {
  if (!statSync(entry).isDirectory()) return [entry]
  return readdirSync(entry).flatMap(name => filesOf(path.join(entry, name)))
}

/** @param {string} file */
function readOr(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
