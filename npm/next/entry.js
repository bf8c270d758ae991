// In: `import next from 'next'` and `require('next')`, the `main` of the distribution. Out: ferronext's next().
//
// Editors load the same module as a plugin of TypeScript. That is upstream's, and needs no addon.

/** @param {any} options */
function next(options) {
  const isEditor = options && 'typescript' in options && 'version' in options.typescript
  return isEditor ? require('../dist/server/next')(options) : require('ferronext')(options)
}

module.exports = next
module.exports.default = next
