// Express and Fastify around the app: what they add to req and res, mounted handlers, bodies that they read before.
import { fileURLToPath } from 'node:url'
import { get, head, post } from '../case.mjs'

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** One of every kind of answer, so that what the framework has set is seen on all of them. */
const targets = [
  '/',
  '/isr',
  '/dynamic?a=1',
  '/plain',
  '/server?b=2',
  '/item/one',
  '/item/missing',
  '/item/moved',
  '/api/echo?q=1',
  '/api/raw',
  '/route?c=3',
  '/edge',
  '/file.txt',
  '/{chunk}',
  '/old',
  '/plain/',
  '/rewritten',
  '/missing',
  '/_next/static/missing.js',
  '/a//b',
  '/%',
  '/own',
]

const both = [
  ...targets.map(target => get(target)),
  head('/server'),
  head('/'),
  get('/api/echo', { headers: { 'X-Forwarded-For': '203.0.113.7' } }),
  get('/dynamic', { headers: { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' } }),
  get('/rendered/7?more=1'),
  get('/', { headers: { 'Accept-Encoding': 'gzip' } }),
  get('/file.txt', { headers: { Range: 'bytes=0-3' } }),
  post('/api/echo', '{"a":1}', { headers: JSON_TYPE }),
  post('/api/echo', '{broken', { headers: JSON_TYPE }),
  post('/api/echo', 'x'.repeat(2_000_000), { headers: { 'Content-Type': 'text/plain' } }),
  post('/api/raw', 'x'.repeat(300_000)),
  post('/route', 'body of the route'),
]

const express = [
  ...both,
  get('/failed'),
  get('/absent'),
  ...['mounted', 'parsed', 'original', 'status'].flatMap(mount =>
    targets.slice(0, -1).map(target => get(`/${mount}${target}`)),
  ),
  get('/mounted'),
  get('/mounted?x=1'),
  get('/trap/server'),
  post('/json/api/echo?q=1', '{"read":"by express"}', { headers: JSON_TYPE }),
  post('/json/api/echo', '{broken', { headers: JSON_TYPE }),
  post('/json/api/echo', 'not json', { headers: { 'Content-Type': 'text/plain' } }),
  post('/text/api/echo', 'a text', { headers: { 'Content-Type': 'text/plain' } }),
  post('/json/server', '{"read":"by express"}', { headers: JSON_TYPE }),
  get('/throws'),
]

const env = { TEST_PACKAGES: fileURLToPath(new URL('../../', import.meta.url)) }

/** @type {import('./index.mjs').Suite[]} */
export const frameworks = [
  { fixture: 'custom-server', serverFile: 'express.mjs', env, cases: express },
  { fixture: 'custom-server', serverFile: 'fastify.mjs', env, cases: both },
]
