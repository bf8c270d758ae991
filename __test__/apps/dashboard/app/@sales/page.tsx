import { series } from '@/data'

interface Props {
  searchParams: Promise<{ days?: string }>
}

export default async function Panel({ searchParams }: Props) {
  const { days = '7' } = await searchParams
  const points = await series('sales', Number(days))
  return <p data-testid="sales">{`sales: ${points.reduce((sum, { value }) => sum + value, 0)}`}</p>
}
