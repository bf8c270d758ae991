// `ferronext info [folder]`: what is installed here and whether it fits together. The first thing to attach to a report.

const { statSync } = require('node:fs')
const path = require('node:path')
const { loadAddon, platformName } = require('../../runtime/process/addon')
const { codedError } = require('../../runtime/errors')
const { untested } = require('../../runtime/next/known-versions')
const { fastPathsOf } = require('../../runtime/entry/fast/metrics')
const { findNext } = require('../../runtime/next/package')

/** @param {Record<string, any>} _values @param {string[]} positionals */
function run(_values, [dir = '.']) {
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw codedError('FERRONEXT_WRONG_DIR', `There is no folder ${path.resolve(dir)}.`)
  }
  /** @type {string | undefined} */
  let nextVersion
  /** @type {[string, () => string | undefined][]} */
  const facts = [
    ['ferronext', () => require('../../package.json').version],
    ['node', () => process.version],
    ['platform', platformName],
    [
      'next',
      () => {
        const { version } = findNext(path.resolve(dir))
        nextVersion = version
        const { advisory } = addon().checkVersion(version)
        if (advisory) throw codedError('FERRONEXT_VULNERABLE_NEXT', advisory)
        const missing = findNext(path.resolve(dir)).missing()
        if (missing.length > 0)
          throw codedError(
            'FERRONEXT_INCOMPATIBLE_NEXT',
            `next ${version} has no ${missing.join(', ')}, without which ferronext cannot serve`,
          )
        return untested(version) ? `${version}, ${untested(version)}` : `${version}, supported`
      },
    ],
    ['fast paths', () => nextVersion && fastPaths(nextVersion)],
  ]
  for (const [name, fact] of facts) {
    try {
      const text = fact()
      if (text !== undefined) console.log(`${name}: ${text}`)
    } catch (error) {
      const { code, message } = /** @type {Error & { code?: string }} */ (error)
      console.log(`${name}: ${code ?? 'error'}: ${message}`)
      process.exitCode = 1
    }
  }
}

const addon = () => loadAddon(path.join(__dirname, '../..'))

/** @param {string} version of `next` */
function fastPaths(version) {
  const { on, off } = fastPathsOf(addon().capabilitiesOf(version))
  return [
    process.env.FERRONEXT_LEAN === '0' ? 'none, because of FERRONEXT_LEAN=0' : on.join(', '),
    ...(off.length > 0 ? [`off with this version: ${off.join(', ')}`] : []),
    // A version that is not known is compared with what is known while it answers.
    ...(untested(version) ? ['what differs is switched off as it is found, see the metric ferronext_fast_paths'] : []),
  ].join('; ')
}

module.exports = { options: {}, run }
