'use client'

import { useActionState } from 'react'
import { login } from '../actions'

export function Form() {
  const [state, action, isPending] = useActionState(login, {})
  return (
    <form action={action}>
      <input name="name" aria-label="Name" />
      <input name="password" type="password" aria-label="Password" />
      <button type="submit" disabled={isPending}>
        Sign in
      </button>
      {state.error && <p role="alert">{state.error}</p>}
    </form>
  )
}
