#!/usr/bin/env node

// `ferronext info [dir]`: what is installed here and whether it fits together. The first thing to attach to a report.

const path = require('node:path')
const { loadAddon, platformName } = require('../runtime/addon')
const { findNext } = require('../runtime/next-package')

const [command, dir = '.'] = process.argv.slice(2)

if (command !== 'info') {
  console.error('Usage: ferronext info [project folder]')
  process.exit(command === undefined || command === '--help' ? 0 : 2)
}

/** @type {[string, () => string][]} */
const FACTS = [
  ['ferronext', () => require('../package.json').version],
  ['node', () => process.version],
  ['platform', platformName],
  [
    'next',
    () => {
      const { version } = findNext(path.resolve(dir))
      loadAddon(path.join(__dirname, '..')).checkVersion(version)
      return `${version}, supported`
    },
  ],
]

for (const [name, fact] of FACTS) {
  try {
    console.log(`${name}: ${fact()}`)
  } catch (error) {
    const { code, message } = /** @type {Error & { code?: string }} */ (error)
    console.log(`${name}: ${code ?? 'error'}: ${message}`)
    process.exitCode = 1
  }
}
