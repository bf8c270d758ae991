import Link from 'next/link'
import { allPosts } from '../lib/posts'

export const revalidate = 60

export default function Home() {
  return (
    <ul>
      {allPosts().map(({ slug, title }) => (
        <li key={slug}>
          <Link href={`/posts/${slug}`}>{title}</Link>
        </li>
      ))}
    </ul>
  )
}
