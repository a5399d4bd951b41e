import cluster from 'node:cluster'
import { superviseThisWorker } from '../worker/worker.ts'
import { type ClusterOptions, checkClusterOptions } from './cluster-options.ts'
import { supervise } from './supervise.ts'

/**
 * Runs `start` in one worker per core: in the primary process it starts the workers, replaces those that
 * die, rolls them over on SIGHUP, and drains them on SIGTERM and SIGINT; in a worker it calls `start`.
 * Call it once, from the file that Node was started with. Resolves in the primary when all workers have
 * ended; rejects with `CrashLoopError` when they cannot be kept alive.
 */
export async function runCluster(start: () => unknown, options: ClusterOptions = {}): Promise<void> {
  const settings = checkClusterOptions('runCluster', options)
  if (cluster.isWorker) {
    superviseThisWorker()
    await start()
    return
  }
  await supervise(settings)
}
