// In: what went wrong with a command. Out: one line and an exit code.

const { codedError } = require('../runtime/errors')

/** @param {string} what */
const badArgument = what =>
  codedError('FERRONEXT_BAD_ARGUMENT', `${what}. \`ferronext --help\` shows the commands and their options.`)

/** A mistake of the user's is one line; anything else keeps its stack. @param {any} error */
function fail(error) {
  const code = String(error?.code ?? '')
  if (code.startsWith('FERRONEXT_')) console.error(`${code}: ${error.message}`)
  else console.error(error)
  process.exit(code === 'FERRONEXT_BAD_ARGUMENT' ? 2 : 1)
}

module.exports = { badArgument, fail }
