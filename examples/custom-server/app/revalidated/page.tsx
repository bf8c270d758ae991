import type { Metadata } from 'next'

export const metadata: Metadata = { title: 'Revalidated' }

/** Served from the cache; a request that finds it older than this starts a new render in the background. */
export const revalidate = 10

export default function Revalidated() {
  return (
    <>
      <h1>Revalidated</h1>
      <p>Reload: the time changes at most every 10 seconds.</p>
      <dl className="panel">
        <dt>Rendered</dt>
        <dd data-testid="rendered">{new Date().toISOString()}</dd>
      </dl>
    </>
  )
}
