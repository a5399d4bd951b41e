// The app of core's reload tests, unchanged: requests, bodies, event streams and WebSockets.
const { subscribe } = require('node:diagnostics_channel')
const { follow } = require('./serve.cjs')

subscribe('tracing:net.server.listen:asyncEnd', ({ server }) => follow(server))
require('../../packages/core/test/fixtures/open-app.cjs')
