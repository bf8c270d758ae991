import { NextResponse } from 'next/server'

/** Runs before every request: sends people without a cookie away from one page, rewrites another by language, else adds a header. */
export function proxy(request) {
  const { pathname } = request.nextUrl
  if (pathname === '/account' && !request.cookies.has('session')) {
    return NextResponse.redirect(new URL('/', request.url))
  }
  if (pathname === '/greeting') {
    const language = request.headers.get('accept-language')?.startsWith('fr') ? 'fr' : 'en'
    return NextResponse.rewrite(new URL(`/${language}/greeting`, request.url))
  }
  return NextResponse.next({ headers: { 'x-seen': pathname } })
}
