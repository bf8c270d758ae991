import { allPosts } from '../../lib/posts'

export const dynamic = 'force-static'

export function GET() {
  const items = allPosts().map(({ title, slug }) => `<item><title>${title}</title><guid>${slug}</guid></item>`)
  return new Response(`<rss version="2.0"><channel>${items.join('')}</channel></rss>`, {
    headers: { 'content-type': 'application/rss+xml' },
  })
}
