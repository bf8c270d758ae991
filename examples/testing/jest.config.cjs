module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/jest/**/*.test.cjs'],
  // Neither the build nor Node's own modules are for Babel.
  transform: {},
}
