/** Prerendered anew every second, so that a run of some seconds meets fresh and stale answers. */
export const revalidate = 1

export default function Fresh() {
  return (
    <main>
      <h1>Revalidated</h1>
      <time>{Date.now()}</time>
    </main>
  )
}
