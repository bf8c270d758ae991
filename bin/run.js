// In: the arguments of the `ferronext` command. Out: the command has run; its fault is one line and the exit code 1, a wrong
// argument one line and 2.

const { parseArgs } = require('node:util')
const { badArgument, fail } = require('./fault')
const { helpOf } = require('./help')

/**
 * @typedef {import('node:util').ParseArgsConfig['options']} Options
 * @typedef {object} Command
 * @property {Options} options
 * @property {(values: Record<string, any>, positionals: string[], rest: string[]) => void | Promise<void>} run `rest` is what
 *   stands after `--`
 */

/** @type {Record<string, () => Command>} */
const COMMANDS = {
  dev: () => require('./commands/dev'),
  start: () => require('./commands/start'),
  info: () => require('./commands/info'),
  standalone: () => require('./commands/standalone'),
  'build-addon': () => require('./commands/build-addon'),
}

/** Understood before and after every command. @type {Options} */
const COMMON = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } }

/** @param {string[]} args */
async function run(args) {
  const [name = '', ...others] = args
  try {
    if (name === '' || ['help', '--help', '-h'].includes(name)) return console.log(helpOf(others[0] ?? ''))
    if (name === '--version' || name === '-v') return console.log(require('../package.json').version)
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]?.() : undefined
    if (!command) throw badArgument(`There is no command "${name}"`)
    const end = others.indexOf('--')
    const [own, rest] = end < 0 ? [others, []] : [others.slice(0, end), others.slice(end + 1)]
    // Help comes first, even if other arguments are wrong.
    if (own.some(argument => argument === '--help' || argument === '-h')) return console.log(helpOf(name))
    const { values, positionals } = parse(withValues(own), command.options)
    if (values.version) return console.log(require('../package.json').version)
    await command.run(values, positionals, rest)
  } catch (error) {
    fail(error)
  }
}

/**
 * `--inspect` may have no value, which the parser does not support for options with values.
 * @param {string[]} args
 */
function withValues(args) {
  const all = [...args]
  for (let at = all.indexOf('--inspect'); at >= 0; at = all.indexOf('--inspect')) {
    const isValue = /^(?:\S+:)?\d+$/.test(all[at + 1] ?? '')
    all.splice(at, isValue ? 2 : 1, `--inspect=${isValue ? all[at + 1] : ''}`)
  }
  return all
}

/**
 * @param {string[]} args
 * @param {Options} options
 */
function parse(args, options) {
  try {
    return parseArgs({ args, options: { ...COMMON, ...options }, allowPositionals: true, strict: true })
  } catch (error) {
    throw badArgument(/** @type {Error} */ (error).message.replace(/\.$/, ''))
  }
}

module.exports = { run }
