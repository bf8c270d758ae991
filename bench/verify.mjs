// Before anything is measured: does every engine answer as upstream does? A wrong answer is always fast.
// In: running order, apps, questions. Out: for each question the file of an answer, which the limits repeat or render again.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { captureSettled, findMismatch } from './capture.mjs'
import { sourceOf } from './fixture.mjs'
import { CLIENTS } from './scenarios.mjs'
import { startServer } from './server-process.mjs'

/** @typedef {import('./server-process.mjs').Engine} Engine */
/** @typedef {import('./scenarios.mjs').Scenario} Scenario */
/** @typedef {{ file: string, bytes: number, encoding: string }} Captured */

/** The limits that scenarios can have; nobody repeats the work of making a picture. */
export const limitOf = (/** @type {Scenario} */ scenario) => (scenario.kind ? undefined : (scenario.limit ?? 'bare'))

export const appOf = (/** @type {{ app?: import('./fixture.mjs').App }} */ { app }) => app ?? 'main'

/** Whether the engine takes part in a scenario. @param {Engine} engine @param {Scenario} scenario */
export const takesPart = (engine, scenario) => engine !== 'vinext' || scenario.content !== undefined

/** @param {Scenario} scenario @param {typeof CLIENTS} clients */
export const clientsOf = (scenario, clients) => clients.filter(({ name }) => (scenario.client ?? name) === name)

/** @param {Scenario} scenario @param {{ name: string }} client */
export const keyOf = (scenario, client) => `${scenario.name}-${client.name}`

/**
 * @param {object} options
 * @param {Engine[]} options.engines that run apps, the one that is right first
 * @param {Record<string, Record<string, string>>} options.dirs
 * @param {Scenario[]} options.scenarios
 * @param {typeof CLIENTS} [options.clients]
 * @param {string} options.scratch a folder for the answers
 * @returns {Promise<{ captured: Map<string, Captured>, mismatches: string[] }>}
 */
export async function verify({ engines, dirs, scenarios, clients = CLIENTS, scratch }) {
  /** @type {Map<string, Captured>} */
  const captured = new Map()
  /** @type {string[]} */
  const mismatches = []
  // The limits repeat ferronext where it takes part.
  const repeated = engines.includes('ferronext') ? 'ferronext' : engines[0]
  for (const app of new Set(scenarios.map(appOf))) {
    const servers = new Map()
    for (const engine of engines)
      if (dirs[app][engine]) servers.set(engine, await startServer(engine, dirs[app][engine]))
    for (const scenario of scenarios.filter(each => appOf(each) === app)) {
      for (const client of clientsOf(scenario, clients)) {
        /** @type {Map<Engine, import('./capture.mjs').Answer>} */
        const answers = new Map()
        for (const [engine, { port }] of servers) {
          if (!takesPart(engine, scenario)) continue
          answers.set(engine, await captureSettled(port, scenario.path, { ...client.headers, ...scenario.headers }))
        }
        const expected = /** @type {import('./capture.mjs').Answer} */ (answers.get(engines[0]))
        for (const [engine, answer] of answers) {
          // What vinext must show is part of the page, so it is cut out of both.
          const mismatch = findMismatch(scenario, expected, answer, engine)
          if (mismatch) mismatches.push(`${keyOf(scenario, client)}, ${engine} against ${engines[0]}: ${mismatch}`)
        }
        const { body, ...head } = /** @type {import('./capture.mjs').Answer} */ (answers.get(repeated))
        const streams = scenario.streams && path.join(dirs[app][repeated], 'public', scenario.streams)
        const renders = scenario.page && {
          page: scenario.page,
          source: sourceOf(app),
          workspace: dirs[app][repeated],
        }
        const file = path.join(scratch, `${keyOf(scenario, client)}.json`)
        const kept = streams ? '' : body.toString('base64')
        writeFileSync(file, JSON.stringify({ ...head, path: scenario.path, streams, renders, body: kept }))
        captured.set(keyOf(scenario, client), { file, bytes: body.length, encoding: head.encoding })
      }
    }
    for (const server of servers.values()) await server.stop()
  }
  return { captured, mismatches }
}
