// The documented server in several processes on one port and one build.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'

if (cluster.isPrimary) {
  const workers = Array.from({ length: Number(process.env.WORKERS) }, () => cluster.fork())
  await Promise.all(workers.map(worker => once(worker, 'listening')))
  console.log('all are listening')
} else {
  const { default: next } = await import('next')
  const app = next({ dev: false })
  const handle = app.getRequestHandler()
  await app.prepare()
  createServer((req, res) => handle(req, res)).listen(Number(process.env.PORT))
}
