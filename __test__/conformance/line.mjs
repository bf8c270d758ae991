// In: a Next.js line. Out: tests of every case against real `next` and against ferronext, on the same build. FERRONEXT_MATRIX, or else
// FERRONEXT_LINES, picks the lines; FERRONEXT_CONFORMANCE_SELF=1 compares upstream with itself. Every difference fails, on every line.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NEWEST } from '../support/workspace.mjs'
import { overlaps, suitesOf } from './cases/index.mjs'
import { openSession, unusedDifferences, writeReport } from './session.mjs'

const self = process.env.FERRONEXT_CONFORMANCE_SELF === '1'
const wanted = (process.env.FERRONEXT_MATRIX ?? process.env.FERRONEXT_LINES ?? NEWEST).split(',')

/**
 * The suites that every line is asked in a usual run: what differs between versions, partial
 * prerendering, and middleware past upstream's adapter. All suites take ten minutes
 * a line, half of it for builds; `npm run test:lines` asks them.
 */
export const ON_EVERY_LINE = new Set(['versions', 'cache-components', 'middleware-apis'])

/** @param {import('../support/workspace.mjs').Line} line */
export const describeLine = line =>
  describe.runIf(wanted.includes(line))(`on ${line}`, () => {
    /** @type {{ fixture: string, results: import('./session.mjs').Result[] }[]} */
    const outcomes = []

    const suites = suitesOf(line).filter(suite => isAsked(line, suite))
    describe.each(suites)('$fixture', suite => {
      const { fixture, cases, serverFile, env, prepare, alter, target } = suite
      /** @type {Awaited<ReturnType<typeof openSession>>} */
      let session
      /** @type {import('./session.mjs').Result[]} */
      const results = []
      outcomes.push({ fixture, results })

      beforeAll(async () => {
        session = await openSession({ line, fixture, serverFile, env, prepare, alter, target, self })
      })
      afterAll(() => session?.close())

      for (const test of cases) {
        const define = overlaps(suite, test) ? it.concurrent : it
        define(test.name, async () => {
          const result = await session.run(test)
          results.push(result)
          expect(result.differences).toEqual([])
        })
      }
    })

    it('shows every declared difference', () => {
      // An older line is asked a part.
      if (self || line !== NEWEST) return
      const declared = outcomes.flatMap(({ results }) => results.flatMap(result => result.declared))
      const unused = unusedDifferences(declared, line)
      expect(unused).toEqual([])
    })

    afterAll(() => {
      const results = outcomes.flatMap(outcome => outcome.results)
      const different = results.filter(({ differences }) => differences.length > 0)
      const report = writeReport(line, outcomes)
      console.log(`conformance on ${line}: ${results.length} cases, ${different.length} different; ${report}`)
    })
  })

/**
 * @param {import('../support/workspace.mjs').Line} line
 * @param {import('./cases/index.mjs').Suite} suite
 */
const isAsked = (line, { fixture, alter, asEverywhere }) =>
  line === NEWEST || self || (ON_EVERY_LINE.has(fixture) && !alter && !asEverywhere)
