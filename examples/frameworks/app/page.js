import Link from 'next/link'

export default function Home() {
  return (
    <main>
      <h1>Below a path</h1>
      <Link href="/about">About</Link>
    </main>
  )
}
