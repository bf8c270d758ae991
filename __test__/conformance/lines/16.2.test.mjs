import { describeLine } from '../line.mjs'

describeLine('16.2')
