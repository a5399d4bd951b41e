import cluster from 'node:cluster'
import { admitCall } from './cluster-call.ts'
import { type ClusterOptions, checkClusterOptions } from './cluster-options.ts'
import { supervise } from './supervise.ts'
import { isSupervised, superviseThisWorker } from './worker.ts'

/**
 * Runs `start` in one worker per core: in the primary process it starts the workers, replaces those that
 * die, rolls them over on SIGHUP, and drains them on SIGTERM and SIGINT; in a worker it calls `start`.
 * Call it once, from the file that Node was started with; in a worker of another cluster (`stepladder run`, PM2)
 * it only calls `start`. Throws `ClusterCallError` when it runs already, or in a thread. Resolves in the primary when all workers have
 * ended; rejects with `CrashLoopError` when they cannot be kept alive.
 */
export async function runCluster(start: () => unknown, options: ClusterOptions = {}): Promise<void> {
  const settings = checkClusterOptions('runCluster', options)
  const end = admitCall(start)
  if (!cluster.isWorker) return supervise(settings).finally(end)

  // Under `stepladder run`, which has supervised this process before it loaded the app.
  if (isSupervised() && Object.keys(options).length > 0) {
    settings.log(
      'runCluster: this process is a worker of "stepladder run", whose options hold; its own do not',
    )
  }
  superviseThisWorker()
  await start()
}
