/** One process, one store: the bundles of pages and actions share the global object. */
globalThis.exampleNotes ??= new Map()
const notes = globalThis.exampleNotes

export const notesOf = user => notes.get(user) ?? []

export function addNote(user, text) {
  notes.set(user, [...notesOf(user), { id: crypto.randomUUID(), text }])
}

export function removeNote(user, id) {
  notes.set(
    user,
    notesOf(user).filter(note => note.id !== id),
  )
}
