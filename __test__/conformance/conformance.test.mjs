// The newest line, which is the reference.
import { NEWEST } from '../support/workspace.mjs'
import { describeLine } from './line.mjs'

describeLine(NEWEST)
