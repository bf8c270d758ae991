// The cases of rules once more: upstream serves a build with rules, ferronext the same build without them and with the
// next.config as `conf`. So the rules of `conf` are what `next build` would have made of them.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { linesFrom } from '../../support/workspace.mjs'
import { conditions } from './conditions.mjs'
import { locales } from './locales.mjs'
import { localesBase } from './locales-base.mjs'
import { hidden, slots } from './routes.mjs'
import { rules, trailingSlash } from './rules.mjs'

/**
 * Takes the app's own rules out of a build. What Next.js put there itself stays.
 *
 * @param {string} dir the built app
 */
function withoutRules(dir) {
  const file = path.join(dir, '.next/routes-manifest.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  const redirects = manifest.redirects.filter((/** @type {{ internal?: boolean }} */ rule) => rule.internal)
  // Compiled entries read this file too, and expect its form.
  const intercepts = (/** @type {{ has?: { key?: string }[] }} */ rule) => rule.has?.[0]?.key === 'next-url'
  const beforeFiles = manifest.rewrites.beforeFiles.filter(intercepts)
  const rewrites = { beforeFiles, afterFiles: [], fallback: [] }
  writeFileSync(file, JSON.stringify({ ...manifest, redirects, rewrites, headers: [] }))
}

/** @typedef {import('../../support/workspace.mjs').Line} Line */

/** @type {import('./index.mjs').Suite[]} */
export const conf = [
  { fixture: 'rules', cases: rules },
  { fixture: 'trailing-slash', cases: trailingSlash },
  { fixture: 'conditions', cases: conditions, asEverywhere: true },
  { fixture: 'locales', cases: locales },
  { fixture: 'locales-base', cases: localesBase, asEverywhere: true },
  // Entries of 15.5 go through the fallback rewrites of the build once more, and cannot know others.
  { fixture: 'slots', cases: slots, asEverywhere: true, lines: linesFrom('16.0.0') },
  { fixture: 'hidden', cases: hidden, asEverywhere: true },
].map(({ cases, ...suite }) => ({
  ...suite,
  serverFile: 'conf.mjs',
  alter: withoutRules,
  cases: cases.map(test => ({ ...test, name: `${test.name} by conf` })),
}))
