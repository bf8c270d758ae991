// Compares two answers to one request. Everything counts, except what upstream itself does not repeat: the clock, the
// port of the server, random ids, and error digests, which hash a stack trace and with it the app's folder.

/** @typedef {import('../support/raw.mjs').RawResponse} RawResponse */
/** @typedef {{ kind: string, expected: string, actual: string }} Difference `kind` is `status`, `header <name>`, … */
/** @typedef {{ response?: RawResponse, error?: string }} Answer */

/** Header values that differ between any two answers. */
const CLOCK = new Set(['date'])

/** React keys of the metadata in an RSC payload that was rendered for this request: a random id, at the edge a UUID, and a letter. */
const REQUEST_ID = /(\["\$","[\w$]+",")(?:[\w-]{21}|[\da-f-]{36})([a-z]",)/g

/** What stands for a param that is not known yet, `%%drp:slug:…%%`: a random number of the render. */
const PARAM_PLACEHOLDER = /(%%drp:\w+:)[\da-f]+%%/g

/** A cookie with an age has an expiry, too, which is the clock. */
const CLOCK_OF_COOKIE = /(Expires=)[^;]+(; Max-Age=\d+)/

/** Preview data is encrypted with a random salt and signed with the time. */
const PREVIEW_DATA = /(__next_preview_data=)eyJ[\w-]+\.[\w-]+\.[\w-]+/

/**
 * @param {Answer} expected upstream's
 * @param {Answer} actual
 * @param {{ expectedPort: number, actualPort: number, mask?: RegExp[] }} options `mask`: parts of the body that vary
 * @returns {Difference[]}
 */
export function compare(expected, actual, { expectedPort, actualPort, mask = [] }) {
  /** @type {Difference[]} */
  const differences = []
  const differ = (/** @type {string} */ kind, /** @type {unknown} */ left, /** @type {unknown} */ right) => {
    if (left !== right) differences.push({ kind, expected: String(left), actual: String(right) })
  }
  const [left, right] = [expected.response, actual.response]
  if (!left || !right) {
    differ('answer', expected.error ?? 'answered', actual.error ?? 'answered')
    return differences
  }
  differ('status', `${left.status} ${left.reason}`, `${right.status} ${right.reason}`)
  differ('interim', left.interim.join(), right.interim.join())
  const [leftHeaders, rightHeaders] = [headerMap(left, expectedPort), headerMap(right, actualPort)]
  for (const name of new Set([...leftHeaders.keys(), ...rightHeaders.keys()])) {
    differ(`header ${name}`, leftHeaders.get(name) ?? 'absent', rightHeaders.get(name) ?? 'absent')
  }
  differ('header case', spelling(left, right), spelling(right, left))
  differ('framing', left.framing, right.framing)
  differ('truncated', left.truncated, right.truncated)
  differ('closed', left.closed, right.closed)
  const [leftBody, rightBody] = [normalizeBody(left, expectedPort, mask), normalizeBody(right, actualPort, mask)]
  differ('body', leftBody, rightBody)
  // Digests have seven to ten digits.
  const variesInLength = leftBody === rightBody && leftBody.includes('{digest}')
  return variesInLength ? differences.filter(({ kind }) => kind !== 'header content-length') : differences
}

/**
 * Repeated headers keep their order among each other; the order of different names means nothing.
 *
 * @param {RawResponse} response
 * @param {number} port
 */
function headerMap({ headers }, port) {
  /** @type {Map<string, string>} */
  const map = new Map()
  for (const [rawName, rawValue] of headers) {
    const name = rawName.toLowerCase()
    const masked = maskPort(rawValue, port).replace(PREVIEW_DATA, '$1{signed}').replace(CLOCK_OF_COOKIE, '$1{clock}$2')
    const value = CLOCK.has(name) ? 'present' : masked
    const before = map.get(name)
    map.set(name, before === undefined ? value : `${before} ⏎ ${value}`)
  }
  return map
}

/**
 * How the header names are spelt, for names that both answers have. Some clients of the wild care.
 *
 * @param {RawResponse} response
 * @param {RawResponse} other
 */
function spelling({ headers }, other) {
  const shared = new Set(other.headers.map(([name]) => name.toLowerCase()))
  const names = new Set(headers.map(([name]) => name).filter(name => shared.has(name.toLowerCase())))
  return [...names].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)).join(', ')
}

/**
 * Latin-1 holds every byte, so the comparison is one of bytes.
 *
 * @param {RawResponse} response
 * @param {number} port
 * @param {RegExp[]} mask
 */
function normalizeBody({ decoded }, port, mask) {
  let text = maskPort(decoded.toString('latin1'), port)
  text = text
    .replace(/(\\?"digest\\?":\\?")\d+/g, '$1{digest}')
    .replace(/(data-dgst=")\d+/g, '$1{digest}')
    .replace(/(\$RX\("B:\w+",")\d+/g, '$1{digest}')
    .replace(PARAM_PLACEHOLDER, '$1{random}%%')
    .replace(REQUEST_ID, '$1{request id}$2')
  for (const pattern of mask) text = text.replace(pattern, '{masked}')
  return text
}

/**
 * @param {string} text
 * @param {number} port
 */
function maskPort(text, port) {
  return text.includes(String(port))
    ? text.replace(
        new RegExp(`((?:localhost|127\\.0\\.0\\.1|x-forwarded-port\\\\?"):\\\\?"?)${port}\\b`, 'g'),
        '$1{port}',
      )
    : text
}
