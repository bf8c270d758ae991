import { connection } from 'next/server'
import { ItemsList, makeItems } from '../items-list'

/** Rendered for every request. */
export default async function Items({ searchParams }) {
  await connection()
  const { label = 'Item' } = await searchParams
  return (
    <main>
      <h1>Dynamic</h1>
      <ItemsList items={makeItems(label)} />
    </main>
  )
}
