// What one writes without a library: forks, revives, and on SIGHUP rolls over. WORKERS says how many.
const cluster = require('node:cluster')

const count = Number(process.env.WORKERS)
const leaving = new Set()

cluster.setupPrimary({ exec: process.argv[2], args: [] })
for (let started = 0; started < count; started++) cluster.fork()
cluster.on('exit', (worker) => {
  if (!leaving.delete(worker)) cluster.fork()
})
process.on('SIGHUP', async () => {
  for (const old of Object.values(cluster.workers)) {
    await new Promise((resolve) => cluster.fork().once('listening', resolve))
    leaving.add(old)
    old.process.kill('SIGTERM')
    const late = setTimeout(() => old.process.kill('SIGKILL'), 5_000)
    await new Promise((resolve) => old.once('exit', resolve))
    clearTimeout(late)
  }
  console.log('reloaded')
})
process.on('SIGTERM', () => process.exit(0))
