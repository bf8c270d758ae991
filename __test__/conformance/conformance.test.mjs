// The newest line, which is the reference.
import { LINE_NAMES } from '../support/workspace.mjs'
import { describeLine } from './line.mjs'

describeLine(LINE_NAMES[0])
