// Which versions of Next.js a release carries, on a list that does not grow.

import { describe, expect, it } from 'vitest'
import { checkVersions, compareVersions, defaultVersions, distTag, newestCanary } from '../../scripts/next-versions.mjs'

const PUBLISHED = [
  ...['13.5.11', '15.4.9', '15.5.0', '15.5.17', '15.5.18', '15.5.1-canary.39'],
  ...['16.0.0-beta.0', '16.0.0', '16.0.9', '16.0.10', '16.1.7', '16.2.5', '16.2.9', '16.2.10', '16.2.12'],
  ...['16.4.0', '16.5.0-canary.38', '16.5.0-canary.9', '17.0.0', '16.3.0-preview.2'],
]

const error = (/** @type {string} */ code, /** @type {string} */ version) => Object.assign(new Error(version), { code })

/** As `checkVersion` of the addon has it. @type {import('../../scripts/next-versions.mjs').Objection} */
const objection = version => {
  if (compareVersions(version, '15.5.0') < 0 || compareVersions(version, '17.0.0') >= 0)
    return error('FERRONEXT_UNSUPPORTED_NEXT', version)
  const fixed = version.startsWith('15.') ? '15.5.18' : '16.2.6'
  return compareVersions(version, fixed) < 0 ? error('FERRONEXT_VULNERABLE_NEXT', version) : undefined
}

describe('the versions that a release carries', () => {
  it('are the last two patches of every line that are not dangerous, in order', () => {
    expect(defaultVersions(PUBLISHED, objection)).toEqual(['15.5.18', '16.2.10', '16.2.12', '16.4.0'])
  })

  it('follow what is published, and what is known', () => {
    const later = [...PUBLISHED, '16.4.1', '16.4.2', '16.5.0']
    expect(defaultVersions(later, objection).slice(-3)).toEqual(['16.4.1', '16.4.2', '16.5.0'])
    const found = (/** @type {string} */ version) =>
      version === '16.2.12' ? error('FERRONEXT_VULNERABLE_NEXT', version) : objection(version)
    expect(defaultVersions(PUBLISHED, found)).toEqual(['15.5.18', '16.2.9', '16.2.10', '16.4.0'])
  })

  it('are not dangerous when they are given by hand either', () => {
    const check = (/** @type {string[]} */ ...versions) => checkVersions(versions, PUBLISHED, objection)
    expect(check('16.2.9', '16.5.0-canary.9')).toBeUndefined()
    expect(() => check('16.2.9', '16.1.7')).toThrow(expect.objectContaining({ code: 'FERRONEXT_VULNERABLE_NEXT' }))
    expect(() => check('15.4.9')).toThrow(expect.objectContaining({ code: 'FERRONEXT_UNSUPPORTED_NEXT' }))
    expect(() => check('16.2.13')).toThrow('next 16.2.13 is not published; the last of its line is 16.2.12.')
    expect(() => check('16.9.0')).toThrow('next 16.9.0 is not published; there is no 16.9.')
  })
})

it('the newest canary is the highest', () => {
  expect(newestCanary(PUBLISHED)).toBe('16.5.0-canary.38')
  expect(() => newestCanary(['16.4.6'])).toThrow('no canary')
})

it('`latest` stays with the highest release', () => {
  const published = ['16.2.12', '16.4.6', '16.5.0-canary.38']
  for (const [version, tag] of [
    ['16.4.7', 'latest'],
    ['15.5.30', 'next-15.5'],
    ['16.5.0-canary.39', 'canary'],
  ])
    expect(distTag(version ?? '', published)).toBe(tag)
  expect(distTag('0.1.0', [])).toBe('latest')
})
