export default function NotFound() {
  return <h1>No such post</h1>
}
