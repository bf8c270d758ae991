/** The body arrives as the client sent it: no parser of the server's has read it. */
export async function POST(request) {
  return Response.json({ body: await request.text(), type: request.headers.get('content-type') }, { status: 201 })
}
