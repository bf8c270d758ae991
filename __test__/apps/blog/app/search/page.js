import Form from 'next/form'
import { allPosts } from '../../lib/posts'

export default async function Search({ searchParams }) {
  const { q = '' } = await searchParams
  const found = q ? allPosts().filter(({ title }) => title.toLowerCase().includes(q.toLowerCase())) : []
  return (
    <main>
      <Form action="/search">
        <input name="q" aria-label="Words" defaultValue={q} />
        <button type="submit">Find</button>
      </Form>
      <p>{`Found: ${found.map(({ title }) => title).join(', ') || 'nothing'}`}</p>
    </main>
  )
}
