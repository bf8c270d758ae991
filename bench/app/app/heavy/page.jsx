import { Catalogue } from './catalogue'

export default function Heavy() {
  return <Catalogue />
}
