#!/usr/bin/env node

// The `ferronext` command. In: a command and its arguments. Out: what the file of that name in commands/ does with them, or
// one line that says what is wrong.

const { parseArgs } = require('node:util')

/** @type {Record<string, () => { options: any, run: (values: any, positionals: string[]) => void | Promise<void> }>} */
const COMMANDS = {
  info: () => require('./commands/info'),
  standalone: () => require('./commands/standalone'),
  'build-addon': () => require('./commands/build-addon'),
}

async function main() {
  const [name = '--help', ...args] = process.argv.slice(2)
  if (!Object.hasOwn(COMMANDS, name)) {
    console.error(`Usage: ferronext info [project folder]
       ferronext standalone <server file> [--dir folder] [--out folder]
       ferronext build-addon`)
    process.exit(name === '--help' ? 0 : 2)
  }
  const { options, run } = COMMANDS[name]()
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  await run(values, positionals)
}

main().catch(error => {
  const code = String(error?.code ?? '')
  console.error(code.startsWith('FERRONEXT_') ? `${code}: ${error.message}` : error)
  process.exitCode = 1
})
