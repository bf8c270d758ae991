export default function Home() {
  return <h1>A notebook</h1>
}
