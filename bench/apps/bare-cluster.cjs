// What one writes without a library: the peer, and for requests on one connection the limit.
const cluster = require('node:cluster')

if (cluster.isPrimary) {
  let listening = 0
  cluster.on('listening', () => ++listening === 2 && console.log('workers serve'))
  cluster.fork()
  cluster.fork()
  process.on('SIGTERM', () => process.exit(0))
} else {
  require('./hello.cjs')
}
