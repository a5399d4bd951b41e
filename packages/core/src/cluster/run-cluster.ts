import cluster from 'node:cluster'
import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkOptionNames } from '../options.ts'
import type { Distribution } from '../supervisor/supervisor.ts'
import { superviseThisWorker } from '../worker/worker.ts'
import { supervise } from './supervise.ts'
import { countWorkers, type Workers } from './workers.ts'

export interface RunClusterOptions {
  /** Default `'auto'`: one per core. */
  readonly workers?: Workers
  /** Default `'shared'`. */
  readonly distribution?: Distribution
  /** How long a worker may take to finish what it began. Default 10 s. */
  readonly drain?: Duration
  /** Hears what happens to the workers. Default: lines on stderr. */
  readonly log?: (line: string) => void
}

/**
 * Runs `start` in one worker per core: in the primary process it starts the workers, replaces those that
 * die, rolls them over on SIGHUP, and drains them on SIGTERM and SIGINT; in a worker it calls `start`.
 * Call it once, from the file that Node was started with. Resolves in the primary when all workers have
 * ended; rejects with `CrashLoopError` when they cannot be kept alive.
 */
export async function runCluster(start: () => unknown, options: RunClusterOptions = {}): Promise<void> {
  checkOptionNames('runCluster', options, ['workers', 'distribution', 'drain', 'log'])
  const { workers = 'auto', distribution = 'shared', drain = '10s', log = logToStderr } = options
  if (distribution !== 'shared' && distribution !== 'round-robin') {
    throw new InvalidOptionError('runCluster', 'distribution', distribution, '"shared" or "round-robin"')
  }
  const count = countWorkers('runCluster', workers)
  const drainMs = parseDuration('runCluster', 'drain', drain)
  if (cluster.isWorker) {
    superviseThisWorker()
    await start()
    return
  }
  await supervise({ workers: count, distribution, drainMs, startMs: 30_000, log })
}

function logToStderr(line: string): void {
  console.error(`stepladder: ${line}`)
}
