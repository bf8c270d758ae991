import { headers } from 'next/headers'

export default async function Time() {
  const asked = (await headers()).get('x-name') ?? 'nobody'
  return <h1>For {asked}</h1>
}
