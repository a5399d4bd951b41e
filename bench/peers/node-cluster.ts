import { appFile, type Peer } from './peer.ts'

/** node:cluster by hand, round-robin as it is by default; its workers call `server.close()` when told to go. */
export const nodeCluster: Peer = clusterOf('node:cluster', {})

/** The same with the library that closes keep-alive connections as well. */
export const httpTerminator: Peer = clusterOf('http-terminator', { CLOSE_BY: 'http-terminator' })

/** Its workers accept from one socket and its primary has no part in it: what the kernel gives away for nothing. */
export const bareSharedSocket: Peer = clusterOf('bare shared socket', { NODE_CLUSTER_SCHED_POLICY: 'none' })

function clusterOf(name: string, env: Readonly<Record<string, string>>): Peer {
  return {
    name,
    command: ({ file, workers }) => ({
      file: appFile('cluster.cjs'),
      args: [file],
      env: { WORKERS: String(workers), CLOSE_ON: 'SIGTERM', ...env },
    }),
    async reload(running) {
      const before = running.output.length
      running.supervisor.kill('SIGHUP')
      await running.untilItPrints(/reloaded\n/, before)
    },
  }
}
