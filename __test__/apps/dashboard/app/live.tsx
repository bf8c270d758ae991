'use client'

import { useState } from 'react'
import type { Point } from '@/data'

export function Live() {
  const [points, setPoints] = useState<Point[]>([])
  const load = async () => setPoints(await (await fetch('/api/series?name=live&days=3')).json())
  return (
    <button type="button" onClick={load}>
      {`Live: ${points.map(({ value }) => value).join(' ') || 'not loaded'}`}
    </button>
  )
}
