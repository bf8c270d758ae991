/** 50 rows of plain markup, the same in both routers. */
export function ItemsList({ items }) {
  return (
    <ul>
      {items.map(item => (
        <li key={item.id} className="item">
          <a href={`/items/${item.id}`}>{item.title}</a> <span>{item.price} EUR</span>
        </li>
      ))}
    </ul>
  )
}

export function makeItems(label) {
  return Array.from({ length: 50 }, (_, id) => ({ id, title: `${label} ${id}`, price: (id * 7) % 90 }))
}
