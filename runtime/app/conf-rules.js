// In: `redirects`, `rewrites` and `headers` of `next(options).conf`. Out: rules in the form in which `next build` writes them
// into its manifest, or one error that names the rule and what is wrong with it. What a rule may be: checkCustomRoutes in
// next/dist/lib/load-custom-routes.js, which would end the process.

const { codedError } = require('../errors')

/** @typedef {import('../next/package').NextPackage} NextPackage */
/** @typedef {'redirects' | 'rewrites' | 'headers'} Kind */
/** @typedef {Record<string, any>} Rule */

const PHASES = /** @type {const} */ (['beforeFiles', 'afterFiles', 'fallback'])
const COMMON_FIELDS = ['source', 'locale', 'has', 'missing', 'basePath']
const FIELDS = {
  redirects: [...COMMON_FIELDS, 'destination', 'permanent', 'statusCode'],
  rewrites: [...COMMON_FIELDS, 'destination'],
  headers: [...COMMON_FIELDS, 'headers'],
}
const STATUS_CODES = [301, 302, 303, 307, 308]
const CONDITION_TYPES = ['header', 'cookie', 'query', 'host']
/** Upstream's limit for the regular expression that a path becomes. */
const MAX_PATTERN = 4096

/**
 * The rules of `conf`, checked and in the build's form; `undefined` when it has none.
 * @param {NextPackage} next
 * @param {any} conf
 * @param {any} config the configuration of the build, for basePath and locales
 * @returns {Promise<object | undefined>}
 */
async function rulesOf(next, conf, config) {
  const given = /** @type {Kind[]} */ (['redirects', 'rewrites', 'headers']).filter(kind => conf[kind] !== undefined)
  if (given.length === 0) return undefined
  /** @type {Record<string, () => Promise<any>>} */
  const checked = {}
  for (const kind of given) {
    const rules = await evaluate(conf, kind)
    for (const [where, list] of listsOf(kind, rules)) {
      for (const [index, rule] of list.entries()) checkRule(next, kind, `${where}[${index}]`, rule, config)
    }
    checked[kind] = async () => rules
  }
  // The rules are valid now, and upstream's own code normalises them.
  const { default: loadCustomRoutes } = next.load('loadCustomRoutes')
  const routes = await loadCustomRoutes({
    ...config,
    redirects: undefined,
    rewrites: undefined,
    headers: undefined,
    ...checked,
  })
  return Object.fromEntries(given.map(kind => [kind, routes[kind]]))
}

/**
 * @param {any} conf
 * @param {Kind} kind
 */
async function evaluate(conf, kind) {
  if (typeof conf[kind] !== 'function') {
    throw badRule(
      `conf.${kind}`,
      `has to be a function that returns the rules, as in next.config, not ${shown(conf[kind])}`,
    )
  }
  let rules
  try {
    rules = await conf[kind]()
  } catch (cause) {
    throw badRule(`conf.${kind}()`, `threw: ${/** @type {any} */ (cause)?.message ?? cause}`, cause)
  }
  // Upstream writes into the rules; the user's stay as they are.
  try {
    return structuredClone(rules)
  } catch (cause) {
    throw badRule(`conf.${kind}()`, 'returned something that is no plain list of rules', cause)
  }
}

/**
 * The lists that a function returned, each with the text that names it.
 * @param {Kind} kind
 * @param {any} rules
 * @returns {[string, Rule[]][]}
 */
function listsOf(kind, rules) {
  const where = `conf.${kind}()`
  if (Array.isArray(rules)) return [[where, rules]]
  if (kind !== 'rewrites' || rules === null || typeof rules !== 'object') {
    throw badRule(where, `has to return a list, not ${shown(rules)}`)
  }
  const unknown = Object.keys(rules).find(phase => !(/** @type {readonly string[]} */ (PHASES).includes(phase)))
  if (unknown !== undefined)
    throw badRule(where, `returned the unknown phase "${unknown}"; there are ${PHASES.join(', ')}`)
  return PHASES.filter(phase => rules[phase] !== undefined).map(phase => {
    if (!Array.isArray(rules[phase])) throw badRule(`${where}.${phase}`, `has to be a list, not ${shown(rules[phase])}`)
    return [`${where}.${phase}`, rules[phase]]
  })
}

/**
 * @param {NextPackage} next
 * @param {Kind} kind
 * @param {string} where
 * @param {Rule} rule
 * @param {any} config
 */
function checkRule(next, kind, where, rule, config) {
  const fail = (/** @type {string} */ what) => {
    throw badRule(where, what)
  }
  if (rule === null || typeof rule !== 'object' || Array.isArray(rule)) fail(`has to be an object, not ${shown(rule)}`)
  const unknown = Object.keys(rule).find(field => !FIELDS[kind].includes(field))
  if (unknown !== undefined) fail(`has the unknown field \`${unknown}\`; there are ${FIELDS[kind].join(', ')}`)
  if (rule.basePath !== undefined && rule.basePath !== false) fail('may have no `basePath` but `false`')
  if (rule.locale !== undefined && rule.locale !== false) fail('may have no `locale` but `false`')
  if (rule.source === undefined) fail('has no `source`')
  if (typeof rule.source !== 'string') fail(`has a \`source\` that is no text but ${shown(rule.source)}`)
  if (!rule.source.startsWith('/')) fail(`has the \`source\` ${shown(rule.source)}, which does not start with "/"`)
  checkConditions(fail, 'has', rule.has)
  checkConditions(fail, 'missing', rule.missing)
  if (kind === 'redirects') checkStatus(fail, rule)
  if (kind === 'headers') checkHeaders(fail, rule.headers)
  const params = paramsOf(next, fail, 'source', rule.source, prefixLength(rule, config))
  if (kind !== 'headers') checkDestination(next, fail, kind, rule, params)
}

/**
 * @param {(what: string) => void} fail
 * @param {Rule} rule
 */
function checkStatus(fail, { permanent, statusCode }) {
  if (statusCode !== undefined) {
    if (permanent !== undefined) fail('has both `permanent` and `statusCode`; one of them has to go')
    if (!STATUS_CODES.includes(statusCode)) {
      fail(`has the \`statusCode\` ${shown(statusCode)}; a redirect has one of ${STATUS_CODES.join(', ')}`)
    }
  } else if (typeof permanent !== 'boolean') {
    fail(`needs \`permanent: true\` or \`permanent: false\`, or a \`statusCode\`; it has ${shown(permanent)}`)
  }
}

/**
 * @param {(what: string) => void} fail
 * @param {any} headers
 */
function checkHeaders(fail, headers) {
  if (!Array.isArray(headers) || headers.length === 0) fail('needs `headers`, a list with at least one { key, value }')
  for (const [index, header] of headers.entries()) {
    if (typeof header?.key !== 'string' || typeof header?.value !== 'string') {
      fail(`has headers[${index}] ${shown(header)}, which needs a \`key\` and a \`value\`, both texts`)
    }
  }
}

/**
 * @param {(what: string) => void} fail
 * @param {'has' | 'missing'} field
 * @param {any} conditions
 */
function checkConditions(fail, field, conditions) {
  if (conditions === undefined) return
  if (!Array.isArray(conditions)) fail(`has a \`${field}\` that is no list but ${shown(conditions)}`)
  for (const [index, condition] of conditions.entries()) {
    const where = `${field}[${index}]`
    const { type, key, value } = condition ?? {}
    if (!CONDITION_TYPES.includes(type)) {
      fail(`has ${where} of the unknown type ${shown(type)}; there are ${CONDITION_TYPES.join(', ')}`)
    }
    if (type !== 'host' && typeof key !== 'string') fail(`has ${where} without a \`key\``)
    if (type === 'host' && typeof value !== 'string') fail(`has ${where} of type "host" without a \`value\``)
    if (value !== undefined && typeof value !== 'string')
      fail(`has ${where} with the value ${shown(value)}, which is no text`)
    checkRegex(fail, where, value ?? '')
  }
}

/**
 * @param {(what: string) => void} fail
 * @param {string} where
 * @param {string} value
 */
function checkRegex(fail, where, value) {
  try {
    new RegExp(`^${value}$`)
  } catch (error) {
    fail(`has ${where} with a broken pattern: ${/** @type {Error} */ (error).message}`)
  }
}

/**
 * @param {NextPackage} next
 * @param {(what: string) => void} fail
 * @param {Kind} kind
 * @param {Rule} rule
 * @param {(string | number)[]} params of the source
 */
function checkDestination(next, fail, kind, { destination, basePath, has, source }, params) {
  if (destination === undefined || destination === '') fail('has no `destination`')
  if (typeof destination !== 'string') fail(`has a \`destination\` that is no text but ${shown(destination)}`)
  const isUrl = /^https?:\/\//.test(destination)
  if (kind === 'rewrites') {
    if (!isUrl && !destination.startsWith('/')) {
      fail(`has the \`destination\` ${shown(destination)}, which starts with none of "/", "http://" and "https://"`)
    }
    if (basePath === false && !isUrl) {
      fail('has `basePath: false`, which needs a `destination` that starts with "http://" or "https://"')
    }
  }
  if (!destination.startsWith('/')) return
  const unnamed = params.find(name => typeof name === 'number' && new RegExp(`:${name}(?!\\d)`).test(destination))
  if (unnamed !== undefined) fail(`uses :${unnamed} in its \`destination\`; groups without a name cannot be used there`)
  const { pathname, hash } = new URL(destination, 'http://n')
  const known = new Set([...params.map(String), ...conditionParams(has)])
  const wanted = paramsOf(next, fail, 'destination', `${pathname}${hash}`, 0)
  const missing = wanted.find(name => !known.has(String(name)))
  if (missing !== undefined) {
    fail(`uses the param :${missing} in its \`destination\`, which neither \`source\` (${source}) nor \`has\` provides`)
  }
}

/**
 * The names that conditions give to what they find.
 * @param {Rule[] | undefined} conditions
 */
function conditionParams(conditions = []) {
  return conditions.flatMap(({ type, key, value }) => {
    if (!value) return key ? [key] : []
    const named = [...value.matchAll(/\(\?<([a-zA-Z][a-zA-Z0-9]*)>/g)].map(match => match[1])
    return type === 'host' ? [...named, 'host'] : named
  })
}

/**
 * The params of a path, by upstream's own parser.
 * @param {NextPackage} next
 * @param {(what: string) => void} fail
 * @param {'source' | 'destination'} field
 * @param {string} pattern
 * @param {number} extra characters that basePath and locales add
 * @returns {(string | number)[]}
 */
function paramsOf(next, fail, field, pattern, extra) {
  const { parse, tokensToRegexp } = next.load('pathToRegexp')
  const { normalizeTokensForRegexp } = next.load('routePatternNormalizer')
  let tokens = []
  let regex = ''
  try {
    tokens = parse(pattern)
    try {
      regex = tokensToRegexp(tokens).source
    } catch {
      regex = tokensToRegexp(normalizeTokensForRegexp(tokens)).source
    }
  } catch (error) {
    fail(`has a \`${field}\` ${shown(pattern)} that cannot be parsed: ${/** @type {Error} */ (error).message}`)
  }
  if (regex.length + extra > MAX_PATTERN) {
    fail(`has a \`${field}\` that is too long: its pattern has more than ${MAX_PATTERN} characters`)
  }
  return tokens.flatMap((/** @type {any} */ token) => (typeof token === 'object' ? [token.name] : []))
}

/**
 * At most what the build adds to a source: the base path and every locale, escaped.
 * @param {Rule} rule
 * @param {any} config
 */
function prefixLength(rule, { basePath = '', i18n }) {
  const locales = i18n && rule.locale !== false ? JSON.stringify(i18n.locales).length * 2 + 32 : 0
  return (rule.basePath === false ? 0 : basePath.length * 2) + locales
}

/** @param {unknown} value */
function shown(value) {
  const text = typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/**
 * @param {string} where
 * @param {string} what
 * @param {unknown} [cause]
 */
const badRule = (where, what, cause) => codedError('FERRONEXT_BAD_CONFIG', `${where} ${what}.`, cause)

module.exports = { rulesOf, shown }
