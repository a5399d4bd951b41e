import type { MetricSample, MetricSnapshot } from '../link/messages.ts'
import type { ProcessVitals } from '../link/vitals.ts'

/** The vital figures of one worker as metrics; `worker` is its place, so that there are no more than places. */
export function vitalsMetrics(worker: string, vitals: ProcessVitals): MetricSnapshot[] {
  const { rssBytes, heapUsedBytes, heapTotalBytes, externalBytes, cpu, gc, loopDelay } = vitals
  const one = (value: number, labels: Record<string, string> = {}) => [
    { value, labels: { worker, ...labels } },
  ]
  const gcs = Object.entries(gc)
  return [
    gauge('resident_memory_bytes', 'Memory that the process holds', one(rssBytes)),
    gauge('heap_used_bytes', 'JavaScript heap in use', one(heapUsedBytes)),
    gauge('heap_size_bytes', 'JavaScript heap that is set aside', one(heapTotalBytes)),
    gauge('external_memory_bytes', 'Memory outside the heap that objects in it hold', one(externalBytes)),
    gauge('open_connections', 'Open connections of HTTP servers', one(vitals.connections)),
    worst('event_loop_utilization_ratio', 'Share of time in which the event loop was busy, lately', [
      ...one(vitals.loopUtilization),
    ]),
    worst('event_loop_delay_seconds', 'By how much timers were late, lately', [
      ...one(loopDelay.p50Seconds, { quantile: '0.5' }),
      ...one(loopDelay.p99Seconds, { quantile: '0.99' }),
      ...one(loopDelay.maxSeconds, { quantile: '1' }),
    ]),
    counter('requests_total', 'HTTP requests that came in', one(vitals.requests)),
    counter('cpu_seconds_total', 'CPU time used, of all threads', [
      ...one(cpu.userSeconds, { mode: 'user' }),
      ...one(cpu.systemSeconds, { mode: 'system' }),
    ]),
    counter(
      'gc_seconds_total',
      'Time spent on garbage collection, by kind',
      gcs.flatMap(([kind, { seconds }]) => one(seconds, { kind })),
    ),
    counter(
      'gc_runs_total',
      'Garbage collections, by kind',
      gcs.flatMap(([kind, { runs }]) => one(runs, { kind })),
    ),
  ]
}

/** Of a worker and the successor that is taking its place, the sum. */
function gauge(name: string, help: string, values: readonly MetricSample[]): MetricSnapshot {
  return { name: `stepladder_worker_${name}`, help, type: 'gauge', aggregator: 'sum', values }
}

/** Of the two, the greater. */
function worst(name: string, help: string, values: readonly MetricSample[]): MetricSnapshot {
  return { ...gauge(name, help, values), aggregator: 'max' }
}

function counter(name: string, help: string, values: readonly MetricSample[]): MetricSnapshot {
  return { ...gauge(name, help, values), type: 'counter' }
}
