'use client'

import { useRouter } from 'next/navigation'

export function Back() {
  const router = useRouter()
  return (
    <button type="button" onClick={() => router.back()}>
      Close
    </button>
  )
}
