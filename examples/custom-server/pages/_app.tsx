import '../app/globals.css'
import type { AppProps } from 'next/app'
import { Frame } from '../app/frame'

export default function App({ Component, pageProps }: AppProps) {
  return (
    <Frame>
      <Component {...pageProps} />
    </Frame>
  )
}
