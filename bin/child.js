// The process that `ferronext dev` starts and restarts. In: what to run, in FERRONEXT_CHILD. Out: a running server, or a
// error that is reported to the parent.

const { fail } = require('./fault')

/** @type {{ serve?: import('./serve').ServeOptions, file: string, args: string[], typescript?: string }} */
const task = JSON.parse(process.env.FERRONEXT_CHILD ?? '{}')
delete process.env.FERRONEXT_CHILD

// A parent that was killed must not leave a server behind.
process.on('disconnect', () => process.exit())
process.channel?.unref()

const running = task.serve
  ? require('./serve').serve(task.serve)
  : require('./server-file').runServerFile(task.file, task.args, task.typescript)
running.catch(error => {
  const code = String(error?.code ?? '')
  // No change of a file will mend a taken port or a missing package.
  if (code.startsWith('FERRONEXT_')) process.send?.({ ferronext: 'fatal' }, () => fail(error))
  else fail(error)
})
