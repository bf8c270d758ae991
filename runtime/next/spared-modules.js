// In: a module of `next`, and what it loads that few apps need. Out: the module, and the rest only once something of it is used.

const { standIn } = require('./lazy')

/**
 * Loads `id` with a stand-in in the place of each module of `spared`, which must be one that does nothing while it is loaded,
 * and whose users take what it exports from it when they need it, as all that `next` compiles does.
 * @param {NodeJS.Require} require of the package. Under Jest, which does not show its modules, nothing is spared
 * @param {string} id
 * @param {Record<string, object>} spared with what is known to be exported without loading it
 */
function loadSparing(require, id, spared) {
  /** @type {string[]} */
  const replaced = []
  for (const [each, known] of Object.entries(spared)) {
    const file = resolved(require, each)
    if (file === undefined || file in require.cache) continue
    replaced.push(file)
    const exports = standIn(known, () => require(each))
    // Nobody asks for what else there is in a module.
    require.cache[file] = /** @type {NodeModule} */ ({ id: file, filename: file, loaded: true, exports })
  }
  try {
    return require(id)
  } finally {
    // From now on whoever asks for one of them gets the module itself.
    for (const file of replaced) delete require.cache[file]
  }
}

/** @param {NodeJS.Require} require @param {string} id that this version of `next` may not have */
function resolved(require, id) {
  try {
    return require.resolve(id)
  } catch {
    return undefined
  }
}

module.exports = { loadSparing }
