import { getTranslations, setRequestLocale } from 'next-intl/server'
import { Visited } from './visited'

export default async function Places({ params }) {
  setRequestLocale((await params).locale)
  const t = await getTranslations('Places')
  return (
    <main>
      <h1>{t('title', { count: 3 })}</h1>
      <Visited />
    </main>
  )
}
