const { writeFileSync } = require('node:fs')
const { join } = require('node:path')

/** Opens the app's port, and does what `follow` does. */
exports.serve = function serve(app) {
  const server = app.listen(Number(process.env.PORT), () => follow(server))
  // As behind a load balancer: a connection stays while other servers have their turn.
  server.keepAliveTimeout = 60_000
}

/**
 * Tells the bench who listens. CLOSE_ON names the signal on which the app shuts down in the way of the manuals: it is
 * not set under `stepladder run`, where an app need not know of any.
 */
function follow(server) {
  writeFileSync(join(process.env.WORKERS_FOLDER, String(process.pid)), '')
  const exit = () => process.exit(0)
  const close = {
    'server.close': () => server.close(exit),
    'http-terminator': () => require('http-terminator').createHttpTerminator({ server }).terminate().then(exit),
  }
  if (!process.env.CLOSE_ON) return
  process.once(process.env.CLOSE_ON, () => {
    close[process.env.CLOSE_BY ?? 'server.close']()
    // As the manuals add: what does not end by itself, such as a WebSocket, must not hold up the exit for ever.
    setTimeout(exit, 2_000)
  })
}
exports.follow = follow
