// What tests use of Next.js's own modules and their types leave out.

import type { ProxyMatcher } from 'next/dist/build/analysis/get-page-static-info'

declare module 'next/dist/build/analysis/get-page-static-info' {
  export function getMiddlewareMatchers(
    matcher: unknown,
    config: { basePath?: string; i18n?: object | null },
  ): ProxyMatcher[]
}
