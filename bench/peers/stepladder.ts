import { fileURLToPath } from 'node:url'
import type { Peer } from './peer.ts'

const cli = fileURLToPath(new URL('../../packages/core/bin/stepladder.js', import.meta.url))

/** Ours. The app is unmodified: it knows of no signal. */
export const stepladder: Peer = stepladderWith('stepladder run')

/** As `stepladder`, with flags for its command line. */
export function stepladderWith(name: string, flags: readonly string[] = []): Peer {
  return {
    name,
    command: ({ file, workers }) => ({
      file: cli,
      args: ['run', '--workers', String(workers), ...flags, file],
    }),
    async reload(running) {
      const before = running.output.length
      running.supervisor.kill('SIGHUP')
      await running.untilItPrints(/: reloaded\n|did not come up/, before)
    },
  }
}
