import { headers } from 'next/headers'

export default async function About() {
  const seen = await headers()
  return <h1>Asked for by {seen.get('x-asked-by') ?? 'nobody'}</h1>
}
