import { allPosts } from '../../../lib/posts'

export default async function Tag({ params }) {
  const tag = (await params).tag.join('/')
  const posts = allPosts().filter(({ tags }) => tags.includes(tag))
  return <h1>{`${posts.length} about ${tag}`}</h1>
}
