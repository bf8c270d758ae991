// In: the sources. Out: docs/internals/headers.md, the table of who sets which header of an answer. The places are found by the calls that
// set a header by its name; what each header says is written here, so that one that is new, or is set no more, has to be said.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Folders whose code makes answers. `source` and `request` have headers of requests. */
const FOLDERS = ['src/answer', 'src/http', 'src/pipeline', 'src/route', 'runtime']

/** When each header is set, as far as ferronext sets it. @type {Record<string, string>} */
const WHEN = {
  'accept-ranges': 'Files.',
  allow: '405: a page or file that is not for this method.',
  'cache-control':
    'Files by their folder; images by their lifetime; pages by `revalidate` and `expire`, unless a rule or the server has set it. `NO_STORE` on error pages and wherever an answer is for one client.',
  'content-disposition': 'Images, by `images.contentDispositionType`.',
  'content-encoding': 'Where the body is compressed: prepared answers in Rust, what an entry writes in JavaScript.',
  'content-length': 'Wherever the whole body is known. An entry that streams has none.',
  'content-range': 'Parts of files, and 416.',
  'content-security-policy': 'Images, by `images.contentSecurityPolicy`.',
  'content-type': 'By the file, the image, or the variant of the page, unless it is set already.',
  etag: 'Files, images, HTML and data of pages, if `generateEtags` is on. RSC payloads and route handlers have none.',
  'last-modified': 'Files.',
  location: 'Redirects: of rules, of pages, of middleware, and to the right `_rsc`.',
  refresh: 'Redirects with status 308, for old browsers.',
  'service-worker-allowed': 'A service worker below `_next/static`.',
  vary: '`Accept` of images; what pages of the App Router depend on; `Accept-Encoding` where the type can be compressed. Fields add up.',
  'x-matched-path':
    'A prefetch with `x-middleware-prefetch` of a page that is rendered for each request: it is not rendered.',
  'x-middleware-rewrite': 'Requests that middleware has rewritten: the target.',
  'x-middleware-skip': 'The same.',
  'x-nextjs-cache': '`HIT`, `STALE` or `MISS` of a page that may be kept. Entries set it on what they answer.',
  'x-nextjs-deployment-id': 'Payloads and data, if the build has a deployment id.',
  'x-nextjs-matched-path': 'Data requests: the page that they came to.',
  'x-nextjs-postponed': '`1`: a shell, the rest follows. `2`: segments of a page.',
  'x-nextjs-prerender': 'Pages of the App Router from the cache.',
  'x-nextjs-rewritten-path': 'RSC requests that a rewrite led to another path.',
  'x-nextjs-rewritten-query': 'RSC requests that a rewrite led to another query.',
  'x-powered-by': 'HTML of pages, if `poweredByHeader` is on.',
}

/** Calls that set a header of an answer: a name in quotes, a constant, or one of two. */
const RUST =
  /\b(?:headers?|direct)\s*\.(?:set|set_default|append|append_distinct|push)\(\s*(?:"([\w-]+)"|([A-Z][A-Z_]+)\b|if \w+ \{ "([\w-]+)" \})/g
const OWN_VARY = /\bself\.(?:push|set)\("(Vary)"/g
const JAVASCRIPT = /\b(?:setHeader|appendHeader|appendDistinct)\((?:res, )?'([\w-]+)'/g

/** @param {string} folder @returns {string[]} */
const filesIn = folder =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(name => path.posix.join(folder, name.replaceAll('\\', '/')))
    .filter(name => /\.(rs|js|mjs)$/.test(name) && !/tests?(\/|\.rs$)/.test(name))
    .sort()

/** @param {string} text @param {number} at @param {boolean} isRust the function around a place */
function functionAt(text, at, isRust) {
  const heads = isRust
    ? /^ *(?:pub(?:\([\w ]+\))? )?(?:const )?(?:async )?fn (\w+)/gm
    : /^(?:async )?function (\w+)|^ {2}(?:async )?#?(\w+)\([^)]*\) \{$|^const (\w+) = (?:async )?(?:\(|\w+ =>)/gm
  let name = ''
  for (const match of text.matchAll(heads)) {
    if (match.index > at) break
    name = match[1] ?? match[2] ?? match[3] ?? name
  }
  return name
}

/** Where each header is set: name in lower case, then file, then functions. */
function places() {
  /** @type {Map<string, Map<string, Set<string>>>} */
  const found = new Map()
  for (const file of FOLDERS.flatMap(filesIn)) {
    const isRust = file.endsWith('.rs')
    const [text = ''] = readFileSync(path.join(root, file), 'utf8').split(/^#\[cfg\(test\)\]\s+mod /m)
    const patterns = isRust ? [RUST, ...(file.endsWith('http/headers.rs') ? [OWN_VARY] : [])] : [JAVASCRIPT]
    for (const match of patterns.flatMap(pattern => [...text.matchAll(pattern)])) {
      const [, name, constant, either] = match
      const value = constant && new RegExp(`\\b${constant}: &str = "([\\w-]+)"`).exec(text)?.[1]
      const header = (name ?? either ?? value)?.toLowerCase()
      if (header === undefined) continue
      const byFile = found.get(header) ?? new Map()
      byFile.set(file, (byFile.get(file) ?? new Set()).add(functionAt(text, match.index, isRust)))
      found.set(header, byFile)
    }
  }
  return found
}

/** @returns {string} the page */
export function headersPage() {
  const found = places()
  const missing = [...found.keys()].filter(header => !(header in WHEN))
  const gone = Object.keys(WHEN).filter(header => !found.has(header))
  if (missing.length + gone.length > 0) {
    throw new Error(`scripts/headers.mjs: say when ${missing} is set; ${gone} is set nowhere any more.`)
  }
  const rows = [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([header, byFile]) => {
      const files = [...byFile].map(
        ([file, functions]) => `\`${file}\` (${[...functions].map(name => `\`${name}\``).join(', ')})`,
      )
      return `| \`${header}\` | ${WHEN[header]} | ${files.join('<br>')} |`
    })
  return `# Who sets which header

The table is made by \`npm run docs\` from the sources (\`scripts/headers.mjs\`): the calls in ${FOLDERS.map(folder => `\`${folder}\``).join(', ')} that set
a header of an answer by name, and the functions that they stand in. It is not made from the captures of the conformance tests, because those keep statuses and
differences, and no headers.

## In which order

Later ones replace what is there under the same name, unless the row says otherwise.

1. **The user's server**, on \`res\`, before the handler. What bears on how an answer is made goes to Rust with the request (\`src/request/set_before.rs\`); all
   of it stays on the response until something sets the same name.
2. **Header rules** of \`next.config\`: \`src/route/walk.rs\` (\`apply_headers\`, \`apply_on_match\`) collects them in \`src/route/rule/header.rs\` (\`ResponseHeaders\`). A redirect
   drops them.
3. **Middleware**: \`src/route/middleware.rs\` (\`apply_middleware\`) reads what its answer means and adds the rest to the same list.
4. **The answer**: a file (\`src/answer/file.rs\`), an image (\`src/answer/image.rs\`), a page from the cache (\`src/answer/page.rs\`), or what the pipeline
   says itself (\`src/pipeline/fail.rs\`, \`src/pipeline/outcome.rs\`, \`src/pipeline/output.rs\`). A page from the cache first takes over rules and middleware, then adds
   the headers that it was stored with (\`add_own\`; \`x-nextjs-stale-time\` is one), its own, and a default \`Cache-Control\`.
5. **The compiled entry**, where one runs: it sets its headers on \`res\` itself, on top of what \`runtime/entry/render.js\` and \`runtime/steps/middleware.js\` have merged.
   These headers are code of Next.js and of the app, and are not in the table.
6. **Compression**: \`src/http/encoding/mod.rs\` (\`apply\`) for what is prepared, \`runtime/http/response-patches.js\` for what an entry writes.
7. **The proxied server**: \`runtime/steps/proxy.js\` passes its headers on; what belongs to one connection stays there (\`src/source/proxy/headers.rs\`).
8. **Node**: \`Date\`, \`Connection\`, \`Keep-Alive\`, \`Transfer-Encoding\`. For an answer in one piece, \`runtime/http/single-write.js\` writes the same.

\`runtime/http/respond.js\` (\`mergeHeaders\`) puts a list from Rust onto \`res\`: it replaces, but for \`Set-Cookie\`, whose values come together, and \`Vary\`, whose fields add up.

## Table

| header | when ferronext sets it | where |
| --- | --- | --- |
${rows.join('\n')}
`
}
