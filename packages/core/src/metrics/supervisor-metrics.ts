import type { WorkerHandle } from '../cluster/worker-handle.ts'
import type { MetricSnapshot } from '../link/messages.ts'

/** What only the supervisor knows, in the form in which the workers report theirs. */
export function supervisorSnapshot(
  living: Iterable<WorkerHandle>,
  restarts: ReadonlyMap<string, number>,
): MetricSnapshot[] {
  const states = new Map<string, number>()
  for (const { state } of living) states.set(state, (states.get(state) ?? 0) + 1)
  return [
    {
      name: 'stepladder_cluster_workers',
      help: 'Workers of this machine by state',
      type: 'gauge',
      aggregator: 'sum',
      values: [...states].map(([state, value]) => ({ value, labels: { state } })),
    },
    {
      name: 'stepladder_cluster_restarts_total',
      help: 'Workers that died or were replaced, by reason',
      type: 'counter',
      aggregator: 'sum',
      values: [...restarts].map(([reason, value]) => ({ value, labels: { reason } })),
    },
  ]
}
