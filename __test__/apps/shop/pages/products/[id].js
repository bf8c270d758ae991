import { useRouter } from 'next/router'
import { useContext } from 'react'
import { PRODUCTS } from '../../lib/products'
import { Basket } from '../_app'

export const getStaticPaths = () => ({ paths: [{ params: { id: 'cup' } }], fallback: true })

export function getStaticProps({ params }) {
  const product = PRODUCTS.find(({ id }) => id === params.id)
  return product ? { props: { product }, revalidate: 60 } : { notFound: true }
}

export default function Product({ product }) {
  const { setCount } = useContext(Basket)
  const { isFallback } = useRouter()
  if (isFallback) return <h1>One moment</h1>
  const buy = async () => {
    const response = await fetch('/api/cart', { method: 'POST', body: JSON.stringify({ id: product.id }) })
    setCount((await response.json()).count)
  }
  return (
    <main>
      <h1>{product.name}</h1>
      <button type="button" onClick={buy}>
        {`Buy for ${product.price}`}
      </button>
    </main>
  )
}
