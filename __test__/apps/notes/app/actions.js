'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { addNote, removeNote } from '../lib/notes'
import { currentUser, signIn, signOut } from '../lib/session'

export async function login(_state, form) {
  if (!(await signIn(form.get('name'), form.get('password')))) return { error: 'That is not right.' }
  redirect('/notes')
}

export async function logout() {
  await signOut()
  redirect('/login')
}

export async function add(_state, form) {
  const user = await currentUser()
  if (!user) redirect('/login')
  const text = String(form.get('text')).trim()
  if (text === '') return { error: 'A note needs a text.' }
  addNote(user, text)
  revalidatePath('/notes')
  return {}
}

export async function remove(id) {
  const user = await currentUser()
  if (!user) redirect('/login')
  removeNote(user, id)
  revalidatePath('/notes')
}
