// In: an absolute URL. Out: where its origin ends.

const AFTER_SCHEME = '://'

/** The index of the `/` behind the origin, -1 without one. @param {string} url */
const endOfOrigin = url => url.indexOf('/', url.indexOf(AFTER_SCHEME) + AFTER_SCHEME.length)

module.exports = { endOfOrigin }
