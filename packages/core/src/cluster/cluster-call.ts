import { isMainThread } from 'node:worker_threads'
import { InvalidOptionError, StepladderError } from '../errors.ts'

/** Thrown by `runCluster` where it cannot be called: a second time, or in a thread. */
export class ClusterCallError extends StepladderError {
  readonly code = 'CLUSTER_CALL'
}

const key = Symbol.for('stepladder.cluster-call')

/**
 * Admits one call of `runCluster` at a time, of all copies of this package: two would fight for the signals of
 * one process. The returned function ends the call. Throws `InvalidOptionError` where `start` is no function.
 */
export function admitCall(start: unknown): () => void {
  if (typeof start !== 'function') throw new InvalidOptionError('runCluster', 'start', start, 'a function')
  if (!isMainThread) {
    throw new ClusterCallError('runCluster starts processes and hears signals: call it in the main thread')
  }
  // The registry of symbols is the only place that two copies share; nobody else writes under our key.
  const shared = globalThis as { [key]?: boolean }
  if (shared[key]) {
    throw new ClusterCallError(
      'runCluster runs already in this process: start all servers in the one function',
    )
  }
  shared[key] = true
  return () => {
    shared[key] = false
  }
}
