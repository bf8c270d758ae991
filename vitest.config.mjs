import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.mjs'],
    // Servers and builds share two cores: files one after another, so that no test waits for another's CPU.
    fileParallelism: false,
    // Of the cases that mostly wait for a page to become stale.
    maxConcurrency: 10,
    // The first test of a fixture waits for its `next build`.
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
})
