const GREETINGS = { en: 'Good morning', fr: 'Bonjour' }

export const dynamicParams = false

export const generateStaticParams = () => Object.keys(GREETINGS).map(language => ({ language }))

export default async function Page({ params }) {
  const { language } = await params
  return <main>{GREETINGS[language]}</main>
}
