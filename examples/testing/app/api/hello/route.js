import { cookies } from 'next/headers'
import { after } from 'next/server'

export async function GET(request) {
  const store = await cookies()
  store.set('visited', 'yes')
  after(() => {
    globalThis.afterwards = (globalThis.afterwards ?? 0) + 1
  })
  return Response.json({ hello: request.nextUrl.searchParams.get('name') ?? 'you' })
}

export async function POST(request) {
  const form = await request.formData()
  return Response.json(Object.fromEntries(form), { status: 201 })
}
