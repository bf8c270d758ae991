export const metadata = { title: 'Gallery', icons: { icon: 'data:,' } }

export default function Layout({ children, modal }) {
  return (
    <html lang="en">
      <body>
        {children}
        {modal}
      </body>
    </html>
  )
}
