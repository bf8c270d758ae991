import './globals.css'
import type { Metadata } from 'next'
import type { ReactNode } from 'react'
import { Frame } from './frame'

export const metadata: Metadata = {
  title: { default: 'A custom server', template: '%s · A custom server' },
  description: 'The custom server of the Next.js documentation, served by ferronext',
}

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Frame>{children}</Frame>
      </body>
    </html>
  )
}
