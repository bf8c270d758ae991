import { series } from '@/data'

interface Props {
  searchParams: Promise<{ days?: string }>
}

export default async function Panel({ searchParams }: Props) {
  const { days = '7' } = await searchParams
  const points = await series('visitors', Number(days))
  return <p data-testid="visitors">{`visitors: ${points.reduce((sum, { value }) => sum + value, 0)}`}</p>
}
