import Link from 'next/link'

export const metadata = {
  metadataBase: new URL('https://blog.example'),
  title: { template: '%s · Blog', default: 'Blog' },
  icons: { icon: 'data:,' },
}

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <nav>
          <Link href="/">Blog</Link> <Link href="/search">Search</Link>
        </nav>
        {children}
      </body>
    </html>
  )
}
