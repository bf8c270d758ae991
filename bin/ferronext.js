#!/usr/bin/env node

// The `ferronext` command. In: a command and its arguments. Out: what the file of that name in commands/ does with them, or
// one line that says what is wrong.

try {
  require('../runtime/process/node-version')
} catch (/** @type {any} */ error) {
  console.error(`${error.code}: ${error.message}`)
  process.exit(1)
}
require('./run').run(process.argv.slice(2))
