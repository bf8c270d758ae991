import { PRODUCTS } from '../lib/products'

export function getServerSideProps({ req }) {
  const ids = (req.cookies.cart ?? '').split('.').filter(Boolean)
  return { props: { products: ids.map(id => PRODUCTS.find(product => product.id === id)).filter(Boolean) } }
}

export default function Cart({ products }) {
  return <h1>{`In the cart: ${products.map(({ name }) => name).join(', ') || 'nothing'}`}</h1>
}
