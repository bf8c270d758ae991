export const metadata = { title: 'Travel', icons: { icon: 'data:,' } }

export default function Root({ children }) {
  return children
}
