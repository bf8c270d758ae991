import { NextResponse } from 'next/server'

/** Runs before every request and only adds a header. */
export function middleware(request) {
  return NextResponse.next({ headers: { 'x-seen': request.nextUrl.pathname } })
}
