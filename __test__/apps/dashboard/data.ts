export interface Point {
  day: number
  value: number
}

/** As a database would answer: late, and not all at once. */
export async function series(name: string, days: number): Promise<Point[]> {
  await new Promise(resolve => setTimeout(resolve, name === 'sales' ? 50 : 300))
  return Array.from({ length: days }, (_, day) => ({ day, value: name.length * (day + 1) }))
}
