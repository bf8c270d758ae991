export default function NotFound() {
  return <h1>Sold out</h1>
}
