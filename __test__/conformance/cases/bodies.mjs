// Bodies that the user's server has read, and heads that it has sent, before it calls the handler. Where upstream waits for ever there is
// nothing to compare: __test__/features/read-bodies.test.mjs says what we do.
import { post } from '../case.mjs'
import { call } from './custom-server.mjs'

const read = { read: true }
const JSON_BODY = { method: 'POST', body: '{"a":1}', headers: { 'Content-Type': 'application/json' } }
const FORM = '--x\r\nContent-Disposition: form-data; name="0"\r\n\r\n["x"]\r\n--x--\r\n'

/** @param {string} body @param {string} type */
const action = (body, type) => ({
  method: 'POST',
  body,
  headers: { 'Next-Action': '{action}', 'Content-Type': type },
  // Made of the stack, which has our frames in it.
  mask: [/"digest":"\d+"/g],
})

const bodies = [
  // The first request goes another way than the following ones.
  call('/route', {}),
  ...['/route', '/route', '/kept', '/api/raw', '/posted', '/', '/missing'].map(target => call(target, read, JSON_BODY)),
  call('/route', read, { ...JSON_BODY, method: 'PUT' }),
  call('/route', read),
  call('/route', {}, JSON_BODY),
  call('/action', {}, action('["x"]', 'text/plain;charset=UTF-8')),
  call('/action', read, action('["x"]', 'text/plain;charset=UTF-8')),
  call('/action', read, action(FORM, 'multipart/form-data; boundary=x')),
  call('/action', read, action('a=1', 'application/x-www-form-urlencoded')),
  call('/route', { read: true, keep: 'json' }, JSON_BODY),
  call('/route', read, { ...JSON_BODY, body: '' }),
  // A request that the class of requests refuses.
  post('/route', '', { method: 'TRACE', body: undefined }),
]

const heads = ['/outside/echo', '/route', '/edge', '/api/parsed', '/api/raw', '/api/edge'].flatMap(target => [
  call(target, { flush: true }),
  call(target, { write: 'written before. ' }),
])

const fixture = 'bodies'
const serverFile = 'custom.mjs'

/** @type {import('./index.mjs').Suite[]} */
export const readBefore = [{ fixture, serverFile, cases: [...bodies, ...heads] }]
