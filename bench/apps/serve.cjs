const { writeFileSync } = require('node:fs')
const { join } = require('node:path')

// Opens the app's port and tells the bench who listens. CLOSE_ON names the signal on which the app shuts down
// in the way of the manuals: under `stepladder run` it is not set, since there an app need not know.
module.exports = function serve(app) {
  const server = app.listen(Number(process.env.PORT), () => {
    writeFileSync(join(process.env.WORKERS_FOLDER, String(process.pid)), '')
  })
  const exit = () => process.exit(0)
  const close =
    process.env.CLOSE_WITH === 'http-terminator'
      ? () => require('http-terminator').createHttpTerminator({ server }).terminate().then(exit)
      : () => server.close(exit)
  if (process.env.CLOSE_ON) process.once(process.env.CLOSE_ON, close)
}
