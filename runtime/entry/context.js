// In: a server. Out: the router context that compiled entries look up on the global object.
// Upstream: next/dist/server/lib/router-utils/router-server-context.js, filled by router-server.js and next-server.js.

const CONTEXTS = Symbol.for('@next/router-server-methods')

/** The key under which upstream keeps request meta on a request. */
const REQUEST_META = Symbol.for('NextInternalRequestMeta')

/**
 * Publishes the context of one project. Entries find it by the project folder relative to the working directory.
 * @param {string} relativeProjectDir
 * @param {object} context
 */
function publishContext(relativeProjectDir, context) {
  const holder = /** @type {any} */ (globalThis)
  holder[CONTEXTS] ??= {}
  holder[CONTEXTS][relativeProjectDir] = context
}

/**
 * The context of a project.
 * @param {string} relativeProjectDir
 */
const contextOf = relativeProjectDir => /** @type {any} */ (globalThis)[CONTEXTS]?.[relativeProjectDir]

module.exports = { REQUEST_META, contextOf, publishContext }
