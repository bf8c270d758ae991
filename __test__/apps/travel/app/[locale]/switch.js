'use client'

import { Link, routing, usePathname } from '../../i18n/routing'

export function Switch() {
  const pathname = usePathname()
  return (
    <nav>
      {routing.locales.map(locale => (
        <Link key={locale} href={pathname} locale={locale}>
          {locale}
        </Link>
      ))}
    </nav>
  )
}
