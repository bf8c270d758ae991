import { describeLine } from '../line.mjs'

describeLine('15.5')
