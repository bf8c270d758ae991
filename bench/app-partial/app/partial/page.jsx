import { connection } from 'next/server'
import { Suspense } from 'react'
import { ItemsList, makeItems } from '../items-list'

/** Rendered for every request, as `/items` of the main app is. */
async function Late({ searchParams }) {
  await connection()
  const { label = 'Item' } = await searchParams
  return <ItemsList items={makeItems(label)} />
}

/** The shell is what `/` shows. */
export default function Partial({ searchParams }) {
  return (
    <main>
      <h1>Partially prerendered</h1>
      <ItemsList items={makeItems('Item').slice(0, 32)} />
      <Suspense fallback={<p>soon</p>}>
        <Late searchParams={searchParams} />
      </Suspense>
    </main>
  )
}
