'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'

export function Visited() {
  const t = useTranslations('Places')
  const [count, setCount] = useState(0)
  return (
    <button type="button" onClick={() => setCount(count + 1)}>
      {`${t('visited')}: ${count}`}
    </button>
  )
}
