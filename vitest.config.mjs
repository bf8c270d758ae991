import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.mjs'],
    // Servers and builds share two cores: files one after another, so that no test waits for another's CPU.
    fileParallelism: false,
    // The first test of a fixture waits for its `next build`.
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
})
