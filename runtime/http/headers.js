// In: headers as Rust hands them over, names and values in turn. Out: one value for each name, or several.

/**
 * @param {string[]} flat
 * @returns {Map<string, string | string[]>} in the order of the first line of each name
 */
function groupHeaders(flat) {
  /** @type {Map<string, string | string[]>} */
  const groups = new Map()
  for (let i = 0; i < flat.length; i += 2) {
    const before = groups.get(flat[i])
    groups.set(flat[i], before === undefined ? flat[i + 1] : [before, flat[i + 1]].flat())
  }
  return groups
}

module.exports = { groupHeaders }
