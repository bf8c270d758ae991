import { redirect } from 'next/navigation'
import { notesOf } from '../../lib/notes'
import { currentUser } from '../../lib/session'
import { logout } from '../actions'
import { Note, Writer } from './parts'

export default async function Notes() {
  const user = await currentUser()
  if (!user) redirect('/login')
  return (
    <>
      <h1>Notes of {user}</h1>
      <ul>
        {notesOf(user).map(note => (
          <Note key={note.id} {...note} />
        ))}
      </ul>
      <Writer />
      <form action={logout}>
        <button type="submit">Sign out</button>
      </form>
    </>
  )
}
