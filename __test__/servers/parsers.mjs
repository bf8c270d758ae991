// Servers that read bodies before the app does, each in its own way. The first segment of the path says which, and is taken off.
import { createRequire } from 'node:module'
import next from 'next'

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */

const require = createRequire(process.env.TEST_PACKAGES ?? '')
const port = Number(process.env.PORT)
const app = next({ dev: false })
const handle = app.getRequestHandler()
await app.prepare()

function expressServer() {
  const express = require('express')
  const server = express()
  /** @param {IncomingMessage} req @param {ServerResponse} _res @param {Buffer} bytes */
  const keep = (req, _res, bytes) => {
    Object.assign(req, { rawBody: bytes })
  }
  server.use('/parsed', express.json(), express.urlencoded({ extended: true }))
  server.use('/kept', express.json({ verify: keep }), express.raw({ type: 'multipart/*', verify: keep }))
  server.use('/text', express.text({ type: '*/*' }))
  server.use('/listened', collect)
  for (const way of ['parsed', 'kept', 'text', 'listened']) server.use(`/${way}`, (req, res) => handle(req, res))
  server.listen(port, () => console.log('listening'))
}

/**
 * By listeners that nobody takes off, and on at the very moment of the end.
 * @param {IncomingMessage & { rawBody?: Buffer, closes?: number }} req @param {ServerResponse} _res @param {() => void} done
 */
function collect(req, _res, done) {
  /** @type {Buffer[]} */
  const chunks = []
  req.on('data', chunk => chunks.push(chunk))
  req.on('end', () => {
    req.rawBody = Buffer.concat(chunks)
    done()
  })
  req.on('close', () => {
    req.closes = (req.closes ?? 0) + 1
    if (req.closes > 1) console.log('closed twice')
  })
}

async function fastifyServer() {
  const fastify = require('fastify')
  const server = fastify()
  server.all('/parsed/*', async (request, reply) => {
    reply.hijack()
    Object.assign(request.raw, { body: request.body })
    request.raw.url = request.raw.url?.slice('/parsed'.length)
    await handle(request.raw, reply.raw)
  })
  server.all('/lost/*', async (request, reply) => {
    reply.hijack()
    request.raw.url = request.raw.url?.slice('/lost'.length)
    await handle(request.raw, reply.raw)
  })
  await server.listen({ port, host: '::' })
  console.log('listening')
}

await (process.env.FRAMEWORK === 'fastify' ? fastifyServer() : expressServer())
