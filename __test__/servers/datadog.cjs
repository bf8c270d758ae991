// A custom server that has started dd-trace first, as its documentation says. Traces are printed in the place of being sent.
require('dd-trace').init({ flushInterval: 0, experimental: { exporter: 'log' }, startupLogs: false })
const { createServer } = require('node:http')
const next = require('next')

const app = next({ dev: false })
const handle = app.getRequestHandler()
app
  .prepare()
  .then(() => createServer((req, res) => handle(req, res)).listen(process.env.PORT, () => console.log('listening')))
