import Link from 'next/link'
import type { ReactNode } from 'react'

/** The head of every page; both routers use it. */
export function Frame({ children }: { children: ReactNode }) {
  return (
    <div className="frame">
      <nav className="top">
        {/* A plain <img>: this file is served from public/ as it is. */}
        {/* biome-ignore lint/performance/noImgElement: no image optimisation wanted here */}
        <img src="/ferris.svg" alt="" width={64} height={40} />
        <Link href="/">Home</Link>
        <Link href="/revalidated">Revalidated</Link>
        <Link href="/dynamic?name=Ferris">Dynamic</Link>
        <Link href="/posts/first">Posts</Link>
        <Link href="/legacy">Legacy</Link>
        <Link href="/about">About</Link>
      </nav>
      <main>{children}</main>
    </div>
  )
}
