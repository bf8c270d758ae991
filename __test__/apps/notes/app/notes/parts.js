'use client'

import { useActionState } from 'react'
import { add, remove } from '../actions'

export function Writer() {
  const [state, action] = useActionState(add, {})
  return (
    <form action={action}>
      <input name="text" aria-label="Text" />
      <button type="submit">Add</button>
      {state.error && <p role="alert">{state.error}</p>}
    </form>
  )
}

export function Note({ id, text }) {
  return (
    <li>
      {text} <button type="button" onClick={() => remove(id)}>{`Remove ${text}`}</button>
    </li>
  )
}
