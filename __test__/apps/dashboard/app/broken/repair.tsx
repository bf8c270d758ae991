'use client'

import { useState } from 'react'

export function Repair() {
  const [isRepaired, setRepaired] = useState(false)
  return (
    <main>
      <h1>{isRepaired ? 'Repaired' : 'Broken'}</h1>
      <button type="button" onClick={() => setRepaired(true)}>
        Repair
      </button>
    </main>
  )
}
