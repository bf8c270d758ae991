import Head from 'next/head'
import Link from 'next/link'
import { createContext, useState } from 'react'

export const Basket = createContext({ count: 0, setCount() {} })

export default function App({ Component, pageProps }) {
  const [count, setCount] = useState(0)
  return (
    <Basket.Provider value={{ count, setCount }}>
      <Head>
        <title>Shop</title>
        <link rel="icon" href="data:," />
      </Head>
      <nav>
        <Link href="/">Shop</Link> <Link href="/cart">{`Cart (${count})`}</Link>
      </nav>
      <Component {...pageProps} />
    </Basket.Provider>
  )
}
