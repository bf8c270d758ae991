import { getTranslations, setRequestLocale } from 'next-intl/server'
import { Link } from '../../i18n/routing'

export default async function Home({ params }) {
  setRequestLocale((await params).locale)
  const t = await getTranslations('Home')
  return (
    <main>
      <h1>{t('title')}</h1>
      <Link href="/places">{t('places')}</Link>
    </main>
  )
}
