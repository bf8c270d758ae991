// The documentation: every link leads somewhere, every option and every option of the command has its place, what a page names of the
// code is there, and the package holds all of it. Reads files only.

import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (/** @type {string} */ file) => readFileSync(path.join(root, file), 'utf8')

/** @param {string} folder @returns {string[]} */
const pagesIn = folder =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => path.posix.join(folder, name.replaceAll('\\', '/')))

const DOCS = pagesIn('docs')
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/results/README.md', ...DOCS]

/** Without what is shown as code. @param {string} text */
const prose = text => text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').replaceAll(/^ {4,}.*$/gm, '')

/** Links and pictures, without those in code. @param {string} text */
const linksIn = text =>
  [
    ...prose(text)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, link = '']) => link)

/** The anchors of a page, as GitHub makes them. @param {string} file */
function anchorsOf(file) {
  /** @type {Map<string, number>} */
  const seen = new Map()
  const text = prose(read(file))
  const headings = [...text.matchAll(/^#{1,6} (.*)$/gm)].map(([, title = '']) => {
    const slug = title
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
  const written = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)
  return new Set([...headings, ...written])
}

describe.each(PAGES)('%s', page => {
  const links = linksIn(read(page)).filter(link => !/^[a-z]+:/.test(link))

  it('has links that lead somewhere', () => {
    const dead = links.filter(link => {
      const [target = '', anchor] = link.split('#')
      const file = target === '' ? page : path.posix.join(path.posix.dirname(page), decodeURI(target))
      if (!existsSync(path.join(root, file))) return true
      return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor)
    })
    expect(dead).toEqual([])
  })
})

/** Folders of the repository whose files pages name. */
const NAMED =
  /`((?:src|runtime|bin|scripts|__test__|bench|npm|examples|fuzz|\.github|\.ci)\/[\w./@-]*)`( \((`\w+`(?:, `\w+`)*)\))?/g

describe.each(DOCS)('%s', page => {
  const named = [...prose(read(page)).matchAll(NAMED)].map(([, file = '', , names = '']) => ({ file, names }))

  it('names files that are there', () => {
    expect(named.map(({ file }) => file).filter(file => !existsSync(path.join(root, file)))).toEqual([])
  })

  // `src/pipeline/mod.rs` (`begin`, `serve`)
  it('names what is in them', () => {
    const missing = named.flatMap(({ file, names }) => {
      if (names === '' || !statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile()) return []
      const text = read(file)
      return [...names.matchAll(/`(\w+)`/g)]
        .filter(([, name = '']) => !new RegExp(`\\b${name}\\b`).test(text))
        .map(([, name]) => `${file}: ${name}`)
    })
    expect(missing).toEqual([])
  })

  it('is reached from the README or from a page beside it', () => {
    const linked = PAGES.flatMap(from =>
      linksIn(read(from)).map(link => path.posix.join(path.posix.dirname(from), link.split('#')[0] ?? '')),
    )
    expect(linked).toContain(page)
  })
})

describe('the reference', () => {
  it('has a heading for every option of next()', () => {
    const source = ts.createSourceFile('index.d.ts', read('index.d.ts'), ts.ScriptTarget.Latest, true)
    /** @type {string[]} */
    const options = []
    const visit = (/** @type {ts.Node} */ node) => {
      if (ts.isInterfaceDeclaration(node) && node.name.text === 'NextServerOptions') {
        const told = node.members.filter(
          member => !ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal'),
        )
        options.push(...told.map(member => member.name?.getText() ?? ''))
      }
      node.forEachChild(visit)
    }
    visit(source)
    expect(options.length).toBeGreaterThan(10)
    const headings = [...read('docs/reference/options.md').matchAll(/^## `(\w+)`$/gm)].map(([, name]) => name)
    expect(headings.toSorted()).toEqual(options.toSorted())
  })

  it('has every option of the command', async () => {
    const { helpOf } = await import('../../bin/help.js')
    const page = read('docs/reference/command.md')
    for (const command of ['start', 'dev', 'info', 'standalone', 'build-addon']) {
      expect(page).toContain(`## \`ferronext ${command}`)
      const lines = helpOf(command).match(/^ {2,}(?:-\w, )?--.*$/gm) ?? []
      const options = lines.flatMap(line => line.split(/ {2,}\w/, 1)[0]?.match(/--[A-Za-z][\w-]*/g) ?? [])
      for (const option of options) expect(page).toContain(`\`${option}`)
    }
  })

  it('has every environment variable that a user may set', () => {
    const page = read('docs/reference/environment.md')
    for (const name of ['FERRONEXT_LEAN', 'FERRONEXT_CHECK_NEXT', 'FERRONEXT_LOG', 'DEBUG', 'NEXT_MANUAL_SIG_HANDLE']) {
      expect(page).toContain(`## \`${name}\``)
    }
  })

  it('names the versions that are tested', () => {
    const page = read('docs/reference/versions.md')
    for (const version of Object.values(JSON.parse(read('runtime/next/tested-versions.json')))) {
      expect(page).toContain(`| ${version} `)
    }
  })
})

describe('figures and versions', () => {
  it('of the README are those of the last benchmark', () => {
    const [, block = ''] = /<!-- bench:start -->([\s\S]*)<!-- bench:end -->/.exec(read('README.md')) ?? []
    const rows = [...block.matchAll(/^\| [^|]+ \| +([\d,]+) \| +([\d,]+) \| +([\d.]+) × \|$/gm)]
    expect(rows).toHaveLength(5)
    const results = read('bench/results/latest.md')
    const [, browser = ''] = /^### Accept-Encoding: gzip, br\n([\s\S]*?)^### /m.exec(results) ?? []
    const [head = [], , ...cells] = browser
      .split('\n')
      .filter(line => line.startsWith('|'))
      .map(line => line.split('|').map(cell => cell.trim()))
    const columns = ['upstream', 'ferronext', '× upstream'].map(name => head.indexOf(name))
    expect(columns).not.toContain(-1)
    const known = cells.map(row => columns.map(column => row[column]).join())
    for (const [, ...figures] of rows) expect(known).toContain(figures.join())
  })

  it('of Node are those that server files are run on', () => {
    const [, nodes = ''] = /const NODES = \{([^}]*)\}/.exec(read('__test__/support/tools.mjs')) ?? []
    const versions = [...nodes.matchAll(/'([\d.]+)'/g)].map(([, version = '']) => version)
    expect(versions.length).toBeGreaterThan(2)
    for (const version of versions) expect(read('docs/guide/run.md')).toContain(version)
  })
})

it('the package holds the documentation', async () => {
  const npm = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const { stdout } = await promisify(execFile)('npm', npm, { cwd: root, maxBuffer: 2 ** 24 })
  /** @type {[{ files: { path: string }[] }]} */
  const [{ files }] = JSON.parse(stdout)
  const packed = files.map(file => file.path)
  const images = readdirSync(path.join(root, 'docs/images')).map(name => `docs/images/${name}`)
  const others = ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...pagesIn('bench/results')]
  expect(packed).toEqual(expect.arrayContaining([...others, ...DOCS, ...images]))
})
