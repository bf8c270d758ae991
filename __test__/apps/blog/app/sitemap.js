import { allPosts } from '../lib/posts'

export default function sitemap() {
  return allPosts().map(({ slug, date }) => ({ url: `https://blog.example/posts/${slug}`, lastModified: date }))
}
