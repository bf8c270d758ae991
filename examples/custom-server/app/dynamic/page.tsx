import type { Metadata } from 'next'
import { headers } from 'next/headers'

export const metadata: Metadata = { title: 'Dynamic' }

type Props = { searchParams: Promise<{ name?: string | string[] }> }

/** Reads the request, and is therefore rendered for every one. */
export default async function Dynamic({ searchParams }: Props) {
  const { name = 'nobody' } = await searchParams
  const userAgent = (await headers()).get('user-agent')
  return (
    <>
      <h1>Dynamic</h1>
      <dl className="panel">
        <dt>Name</dt>
        <dd data-testid="name">{name}</dd>
        <dt>Browser</dt>
        <dd data-testid="user-agent">{userAgent}</dd>
        <dt>Rendered</dt>
        <dd>{new Date().toISOString()}</dd>
      </dl>
    </>
  )
}
