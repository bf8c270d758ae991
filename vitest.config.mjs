import { defineConfig } from 'vitest/config'

/** Lines beside the newest, two at a time: each has a workspace of its own. */
const OTHER_LINES = ['__test__/conformance/lines/*.test.mjs']

/** What installs, compiles and starts processes, and looks at no clock: one of two waits while the other works. */
const PATIENT = [
  '__test__/{packages,standalone}/*.test.mjs',
  '__test__/browser/run-demo.test.mjs',
  '__test__/features/{dev-command,differences,next-imports,unknown-next,ways-to-run}.test.mjs',
]

export default defineConfig({
  test: {
    // Of the cases that mostly wait for a page to become stale.
    maxConcurrency: 6,
    // The first test of a fixture waits for its `next build`.
    testTimeout: 120_000,
    hookTimeout: 600_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['__test__/**/*.test.mjs'],
          exclude: [...PATIENT, ...OTHER_LINES],
          // Servers and builds share two cores: files one after another, so that no test waits for another's CPU.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'patient', include: PATIENT, maxWorkers: 2, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        test: { name: 'other lines', include: OTHER_LINES, maxWorkers: 2, sequence: { groupOrder: 3 } },
      },
    ],
  },
})
