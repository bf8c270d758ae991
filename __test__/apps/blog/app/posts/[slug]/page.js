import Link from 'next/link'
import { notFound } from 'next/navigation'
import { Markdown } from '../../../lib/markdown'
import { allPosts, findPost } from '../../../lib/posts'

export const generateStaticParams = () => allPosts().map(({ slug }) => ({ slug }))

export async function generateMetadata({ params }) {
  const post = findPost((await params).slug)
  return { title: post?.title, openGraph: { title: post?.title } }
}

export default async function Post({ params }) {
  const post = findPost((await params).slug)
  if (!post) notFound()
  return (
    <article>
      <h1>{post.title}</h1>
      <Markdown blocks={post.body} />
      {post.tags.map(tag => (
        <Link key={tag} href={`/tags/${tag}`}>{`#${tag}`}</Link>
      ))}
    </article>
  )
}
