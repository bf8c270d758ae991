import { Live } from './live'

interface Props {
  searchParams: Promise<{ days?: string }>
}

export default async function Home({ searchParams }: Props) {
  const { days = '7' } = await searchParams
  return (
    <main>
      <h1>{`The last ${days} days`}</h1>
      <Live />
    </main>
  )
}
