// The fastest that Node's `http` can do: one captured answer, sent from memory to whatever request comes.
// Usage: PORT=1234 node bench/bare-server.mjs answer.json

import { createReadStream, readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const answer = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { status, headers, streams } = answer
const body = Buffer.from(answer.body, 'base64')

createServer((_req, res) => {
  res.writeHead(status, headers)
  if (streams) createReadStream(streams).pipe(res)
  else res.end(body)
}).listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(JSON.stringify({ ready: performance.now() }))
})
