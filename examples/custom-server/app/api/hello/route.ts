import type { NextRequest } from 'next/server'

export function GET(request: NextRequest) {
  return Response.json({ hello: request.nextUrl.searchParams.get('name') ?? 'world' })
}

export async function POST(request: Request) {
  return Response.json({ received: await request.json() }, { status: 201 })
}
