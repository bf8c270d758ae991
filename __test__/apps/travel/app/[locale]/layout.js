import { NextIntlClientProvider } from 'next-intl'
import { setRequestLocale } from 'next-intl/server'
import { routing } from '../../i18n/routing'
import { Switch } from './switch'

export const generateStaticParams = () => routing.locales.map(locale => ({ locale }))

export default async function Layout({ children, params }) {
  const { locale } = await params
  setRequestLocale(locale)
  return (
    <html lang={locale}>
      <body>
        <NextIntlClientProvider>
          <Switch />
          {children}
        </NextIntlClientProvider>
      </body>
    </html>
  )
}
