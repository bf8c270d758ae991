import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const folder = path.join(process.cwd(), 'content')

/** Head lines, an empty line, then text. */
function parse(name) {
  const [head, ...body] = readFileSync(path.join(folder, name), 'utf8').split('\n\n')
  const fields = Object.fromEntries(head.split('\n').map(line => line.split(/:\s*/, 2)))
  return { ...fields, slug: name.replace(/\.md$/, ''), tags: fields.tags.split(/,\s*/), body }
}

export const allPosts = () =>
  readdirSync(folder)
    .map(parse)
    .sort((a, b) => b.date.localeCompare(a.date))

export const findPost = slug => allPosts().find(post => post.slug === slug)
