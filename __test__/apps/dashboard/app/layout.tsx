import type { Metadata } from 'next'
import Link from 'next/link'
import { type ReactNode, Suspense } from 'react'
import styles from './panel.module.css'

export const metadata: Metadata = { title: 'Dashboard', icons: { icon: 'data:,' } }

interface Props {
  children: ReactNode
  sales: ReactNode
  visitors: ReactNode
}

export default function Layout({ children, sales, visitors }: Props) {
  return (
    <html lang="en">
      <body>
        <nav>
          <Link href="/?days=7">Week</Link> <Link href="/?days=30">Month</Link> <Link href="/broken">Broken</Link>
        </nav>
        {children}
        <section className={styles.panel}>{sales}</section>
        <Suspense fallback={<p>Counting visitors</p>}>{visitors}</Suspense>
      </body>
    </html>
  )
}
