// In: the argument of `ferronext dev` and `ferronext start`. Out: the server file to run, or the folder of the app to serve.

const { statSync } = require('node:fs')
const path = require('node:path')
const { codedError } = require('../runtime/errors')
const { badArgument } = require('./fault')

/**
 * @param {string[]} positionals
 * @returns {{ file: string, dir?: undefined } | { dir: string, file?: undefined }}
 */
function targetOf(positionals) {
  if (positionals.length > 1) {
    throw badArgument(`One server file or folder is enough, not ${positionals.join(' ')}`)
  }
  const [given = '.'] = positionals
  const target = path.resolve(given)
  const stats = statSync(target, { throwIfNoEntry: false })
  if (stats?.isDirectory()) return { dir: target }
  if (stats?.isFile()) return { file: target }
  if (path.extname(given) === '') {
    throw codedError(
      'FERRONEXT_WRONG_DIR',
      `The project folder ${target} does not exist. Pass the folder of your Next.js app.`,
    )
  }
  throw codedError(
    'FERRONEXT_NO_SERVER_FILE',
    `There is no server file ${target}. Pass the file that starts your server.`,
  )
}

/**
 * A number that an option or a variable names.
 * @param {string} name for the message
 * @param {string | undefined} text
 * @param {number} most
 */
function numberOf(name, text, most) {
  if (text === undefined || text === '') return undefined
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > most) throw badArgument(`${name} takes a number from 0 to ${most}, not "${text}"`)
  return number
}

/** @param {Record<string, any>} values */
function portOf(values) {
  return numberOf('--port', values.port, 65_535) ?? numberOf('PORT', process.env.PORT, 65_535)
}

module.exports = { targetOf, numberOf, portOf }
