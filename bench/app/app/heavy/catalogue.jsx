'use client'

// Written by bench/fixture.mjs: about 350 kB, so that one hashed chunk is that large.
import { catalogue } from './catalogue-data'

export function Catalogue() {
  return <p data-size={catalogue.length}>{catalogue[0].name}</p>
}
