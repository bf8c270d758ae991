/** The first line leaves before the second is asked for. */
export function GET() {
  const lines = ['first\n', 'second\n']
  const body = new ReadableStream({
    pull(controller) {
      const line = lines.shift()
      if (line) controller.enqueue(new TextEncoder().encode(line))
      else controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } })
}
