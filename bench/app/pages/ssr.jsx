import { ItemsList, makeItems } from '../app/items-list'

export function getServerSideProps({ query }) {
  return { props: { items: makeItems(query.label ?? 'Item') } }
}

export default function Ssr({ items }) {
  return (
    <main>
      <h1>Server-side rendered</h1>
      <ItemsList items={items} />
    </main>
  )
}
