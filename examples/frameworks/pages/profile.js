/** What the server's middleware puts on the request is there in `getServerSideProps`. */
export function getServerSideProps({ req }) {
  return { props: { name: req.session?.name ?? 'nobody' } }
}

export default function Profile({ name }) {
  return <h1>Signed in: {name}</h1>
}
