// In: headers as Rust hands them over, a flat list: name, value, name, value. Out: the same by name, or on a response.

/** @typedef {import('node:http').ServerResponse} ServerResponse */

const { NO_STORE } = require('./constants')

/**
 * One value for each name, or several.
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

/**
 * The length of the body by a flat list of headers; `NaN` if it has none.
 * @param {string[]} headers
 */
function lengthOf(headers) {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length')
  return at < 0 ? Number.NaN : Number(headers[at + 1])
}

/**
 * Sets headers. They replace those of the response, except that `Vary` is joined.
 * @param {ServerResponse} res
 * @param {string[]} headers flat list
 * @param {boolean} [yields] whether `Content-Type` and `Cache-Control` that an entry has set stay (send-payload.js)
 */
function mergeHeaders(res, headers, yields = false) {
  if (headers.length === 0) return
  /** @type {Set<string>} names that this list has set: a repeat is a second line */
  const own = new Set()
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]
    const value = headers[i + 1]
    const lower = name.toLowerCase()
    // All at once, because each `setHeader` joins the cookies of middleware (response-patches.js).
    if (lower === 'set-cookie') {
      if (!own.has(lower)) res.setHeader(name, valuesOf(headers, lower))
    } else if (own.has(lower)) res.appendHeader(name, value)
    else if (lower === 'vary') addVary(res, name, value)
    else if (!yields || !yieldsToEntry(lower, value) || !res.hasHeader(name)) res.setHeader(name, value)
    own.add(lower)
  }
}

/**
 * @param {string[]} headers flat list
 * @param {string} lower a name in lower case
 */
function valuesOf(headers, lower) {
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1].toLowerCase() === lower)
}

/**
 * @param {string} name
 * @param {string} value
 */
const yieldsToEntry = (name, value) => name === 'content-type' || (name === 'cache-control' && value !== NO_STORE)

/**
 * Adds to `Vary`. An entry that gave up may have set the fields of its page already; they are not repeated.
 * @param {ServerResponse} res
 * @param {string} name as the answer spells it
 * @param {string} value
 */
function addVary(res, name, value) {
  const present = res.getHeader('vary')
  const current = Array.isArray(present) ? present.join(', ') : String(present ?? '')
  if (current === '' || value === current || value.startsWith(`${current},`)) res.setHeader(name, value)
  // With `Accept-Encoding`, upstream's compression merges the lines; otherwise each part has one.
  else if (/(^|, )Accept-Encoding$/.test(value)) res.setHeader(name, `${current}, ${value}`)
  else if (!current.startsWith(`${value},`)) res.setHeader(name, [present ?? [], value].flat().map(String))
}

/**
 * Adds a value as upstream's responses do: no value twice, and all values under the last spelling of the name
 * (`appendHeader` of next/dist/server/base-http/node.js).
 * @param {ServerResponse} res
 * @param {string} name
 * @param {string} value
 */
function appendDistinct(res, name, value) {
  const present = res.getHeader(name)
  if (present === undefined) {
    res.setHeader(name, value)
    return
  }
  const values = [present].flat().map(String)
  if (!values.includes(value)) res.setHeader(name, [...values, value])
}

/**
 * The headers of a web response as a flat list.
 * @param {import('../next/package').NextPackage} next
 * @param {Headers} headers
 * @returns {string[]} names, in lower case, and values in turn; one pair for each cookie
 */
function flatHeaders(next, headers) {
  const flat = []
  for (const [name, value] of headers) {
    if (name !== 'set-cookie') flat.push(name, value)
    else for (const cookie of next.load('webUtils').splitCookiesString(value)) flat.push(name, cookie)
  }
  return flat
}

module.exports = { appendDistinct, flatHeaders, groupHeaders, lengthOf, mergeHeaders }
