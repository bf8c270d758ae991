import Link from 'next/link'
import { Counter } from './counter'

const PAGES = [
  { href: '/revalidated', title: 'Revalidated', what: 'prerendered, at most 10 seconds old' },
  { href: '/dynamic?name=Ferris', title: 'Dynamic', what: 'rendered for every request' },
  { href: '/posts/first', title: 'First post', what: 'prerendered from generateStaticParams' },
  { href: '/posts/unlisted', title: 'Unlisted post', what: 'prerendered on its first request' },
  { href: '/legacy', title: 'Legacy', what: 'pages router, getServerSideProps' },
  { href: '/about', title: 'About', what: 'pages router, static' },
]

/** Static: rendered once, by `next build`. */
export default function Home() {
  return (
    <>
      <h1>A custom server</h1>
      <p>
        The <code>server.ts</code> of the Next.js documentation, unchanged. Each page below shows one kind of page.
      </p>
      <ul className="cards">
        {PAGES.map(({ href, title, what }) => (
          <li key={href}>
            <Link href={href}>{title}</Link>
            <small>{what}</small>
          </li>
        ))}
        <li>
          <a href="/api/hello?name=Ferris">/api/hello</a>
          <small>app router, route handler</small>
        </li>
        <li>
          <a href="/api/time">/api/time</a>
          <small>pages router, API route</small>
        </li>
        <li>
          <a href="/robots.txt">/robots.txt</a>
          <small>a public file</small>
        </li>
      </ul>
      <Counter />
    </>
  )
}
