export default function Home() {
  return <h1>Tested</h1>
}
