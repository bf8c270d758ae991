export const getStaticProps = () => ({ props: { made: Date.now() }, revalidate: 1 })

export default function Legacy({ made }) {
  return <h1>Made {made}</h1>
}
