import { appFile, type Peer } from './peer.ts'

/** Under load throng may wait for ever for a worker's connections before it starts another. */
const revivedMs = 5_000

/** throng has no reload: each worker is told to go in turn, when the one before has its replacement. */
export const throng: Peer = {
  name: 'throng',
  command: ({ file, workers }) => ({
    file: appFile('throng.cjs'),
    args: [file],
    env: { WORKERS: String(workers), CLOSE_ON: 'SIGTERM' },
  }),
  async reload(running) {
    const old = await running.workers()
    for (const [replaced, pid] of old.entries()) {
      process.kill(pid, 'SIGTERM')
      await running.untilWorkersListen(replaced + 1, { besides: old, withinMs: revivedMs })
    }
  },
}
