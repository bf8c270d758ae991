import { getRequestConfig } from 'next-intl/server'
import { routing } from './routing'

export default getRequestConfig(async ({ requestLocale }) => {
  const asked = await requestLocale
  const locale = routing.locales.includes(asked) ? asked : routing.defaultLocale
  return { locale, messages: (await import(`../messages/${locale}.json`)).default }
})
