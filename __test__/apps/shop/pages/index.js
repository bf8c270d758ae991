import Link from 'next/link'
import { useRouter } from 'next/router'
import { PRODUCTS } from '../lib/products'

export const getStaticProps = () => ({ props: { products: PRODUCTS }, revalidate: 60 })

export default function Shop({ products }) {
  const router = useRouter()
  const cheap = router.query.sort === 'price'
  const shown = cheap ? [...products].sort((a, b) => a.price - b.price) : products
  return (
    <main>
      <h1>Shop</h1>
      <button type="button" onClick={() => router.push('/?sort=price', undefined, { shallow: true })}>
        By price
      </button>
      <ul>
        {shown.map(({ id, name }) => (
          <li key={id}>
            <Link href={`/products/${id}`}>{name}</Link>
          </li>
        ))}
      </ul>
      <style jsx>{`
        h1 {
          color: rgb(1, 2, 3);
        }
      `}</style>
    </main>
  )
}
