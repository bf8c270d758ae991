import { createHmac, timingSafeEqual } from 'node:crypto'
import { cookies } from 'next/headers'

const SECRET = process.env.SESSION_SECRET ?? 'only for the example'
const USERS = { ann: 'secret', bob: 'hidden' }

const sign = name => createHmac('sha256', SECRET).update(name).digest('base64url')

export async function currentUser() {
  const [name, signature] = (await cookies()).get('session')?.value.split('.') ?? []
  if (!name || !signature) return undefined
  const [given, right] = [Buffer.from(signature), Buffer.from(sign(name))]
  return given.length === right.length && timingSafeEqual(given, right) ? name : undefined
}

export async function signIn(name, password) {
  if (USERS[name] !== password) return false
  const store = await cookies()
  store.set('session', `${name}.${sign(name)}`, { httpOnly: true, sameSite: 'lax', path: '/' })
  return true
}

export async function signOut() {
  ;(await cookies()).delete('session')
}
