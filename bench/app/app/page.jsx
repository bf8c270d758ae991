import { ItemsList, makeItems } from './items-list'

/** Prerendered; about 12 kB of HTML. */
export default function Home() {
  return (
    <main>
      <h1>Prerendered</h1>
      <ItemsList items={makeItems('Item').slice(0, 32)} />
    </main>
  )
}
