import type { MetricSample, MetricSnapshot } from './messages.ts'

/**
 * What all workers have counted, the dead included, so that a total never falls when a worker dies:
 * each worker reports every second and with every scrape, and what it had last reported outlives it.
 */
export class MetricsLedger<Worker> {
  readonly #latest = new Map<Worker, readonly MetricSnapshot[]>()
  #retired: readonly MetricSnapshot[] = []

  keep(worker: Worker, snapshot: readonly MetricSnapshot[]): void {
    this.#latest.set(worker, snapshot)
  }

  /** The worker is gone: its counts stay, its gauges (what it held at the moment) go with it. */
  retire(worker: Worker): void {
    const last = this.#latest.get(worker)
    if (!last) return
    this.#latest.delete(worker)
    this.#retired = addCounts(this.#retired, last)
  }

  snapshots(): MetricSnapshot[][] {
    return [this.#retired, ...this.#latest.values()].map((snapshot) => [...snapshot])
  }
}

/** The sum of two snapshots, of what only ever grows: counters and histograms. */
export function addCounts(a: readonly MetricSnapshot[], b: readonly MetricSnapshot[]): MetricSnapshot[] {
  const sums = new Map<string, MetricSnapshot>()
  for (const metric of [...a, ...b]) {
    if (metric.type !== 'counter' && metric.type !== 'histogram') continue
    const known = sums.get(metric.name)
    sums.set(metric.name, known ? { ...known, values: addSamples(known.values, metric.values) } : metric)
  }
  return [...sums.values()]
}

function addSamples(a: readonly MetricSample[], b: readonly MetricSample[]): MetricSample[] {
  const sums = new Map<string, MetricSample>()
  for (const sample of [...a, ...b]) {
    const series = seriesOf(sample)
    const known = sums.get(series)
    sums.set(series, known ? { ...known, value: known.value + sample.value } : sample)
  }
  return [...sums.values()]
}

function seriesOf({ metricName = '', labels }: MetricSample): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([metricName, sorted])
}
