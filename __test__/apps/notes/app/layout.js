import Link from 'next/link'

export const metadata = { title: 'Notes', icons: { icon: 'data:,' } }

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <nav>
          <Link href="/">Home</Link> <Link href="/notes">Notes</Link>
        </nav>
        {children}
      </body>
    </html>
  )
}
