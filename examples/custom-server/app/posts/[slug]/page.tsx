import type { Metadata } from 'next'
import Link from 'next/link'

const LISTED = ['first', 'second']

type Props = { params: Promise<{ slug: string }> }

/** These are rendered by `next build`; any other slug on its first request. */
export function generateStaticParams() {
  return LISTED.map(slug => ({ slug }))
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Post ${(await params).slug}` }
}

export default async function Post({ params }: Props) {
  const { slug } = await params
  return (
    <>
      <h1>Post: {slug}</h1>
      <ul>
        {[...LISTED, 'unlisted'].map(other => (
          <li key={other}>
            <Link href={`/posts/${other}`}>{other}</Link>
          </li>
        ))}
      </ul>
    </>
  )
}
