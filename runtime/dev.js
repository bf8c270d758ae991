// In: options with `dev: true`. Out: upstream's own development server. Compiling belongs to it; ferronext serves builds.

const { findNext } = require('./next-package')

/**
 * @param {import('./options').ResolvedOptions} options
 * @returns {any} upstream's app
 */
function createDevServer(options) {
  return findNext(options.dir).require('next/dist/server/next')(options)
}

module.exports = { createDevServer }
