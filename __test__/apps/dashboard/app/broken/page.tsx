import { connection } from 'next/server'
import { Repair } from './repair'

export default async function Broken() {
  await connection()
  return <Repair />
}
