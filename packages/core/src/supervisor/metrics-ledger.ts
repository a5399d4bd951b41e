import type { MetricSample, MetricSnapshot } from '../cluster/messages.ts'

/** What a worker has said of its metrics; of two, the one with the greater `id` is the younger. */
export interface NumberedSnapshot {
  readonly id: number
  readonly snapshot: readonly MetricSnapshot[]
}

/**
 * What all workers have counted, the dead included, so that a total never falls when a worker dies:
 * each worker reports every second and with every scrape, and what it had last reported outlives it.
 */
export class MetricsLedger<Worker> {
  readonly #latest = new Map<Worker, NumberedSnapshot>()
  #retired: readonly MetricSnapshot[] = []

  /** Drops a snapshot that a younger one has overtaken: a metric that takes long to read can hold one up. */
  keep(worker: Worker, { id, snapshot }: NumberedSnapshot): void {
    const latest = this.#latest.get(worker)
    if (!latest || latest.id < id) this.#latest.set(worker, { id, snapshot })
  }

  /** The worker is gone: its counts stay, its gauges (what it held at the moment) go with it. */
  retire(worker: Worker): void {
    const last = this.#latest.get(worker)
    if (!last) return
    this.#latest.delete(worker)
    this.#retired = addCounts(this.#retired, last.snapshot)
  }

  snapshots(): MetricSnapshot[][] {
    const latest = [...this.#latest.values()].map(({ snapshot }) => snapshot)
    return [this.#retired, ...latest].map((snapshot) => [...snapshot])
  }
}

/** The sum of two snapshots, of what only ever grows: counters, histograms, and a summary's sum and count. */
export function addCounts(a: readonly MetricSnapshot[], b: readonly MetricSnapshot[]): MetricSnapshot[] {
  const sums = new Map<string, MetricSnapshot>()
  for (const metric of [...a, ...b]) {
    const counts = countsOf(metric)
    if (!counts) continue
    const known = sums.get(metric.name)
    sums.set(metric.name, { ...metric, ...known, values: addSamples(known?.values ?? [], counts) })
  }
  return [...sums.values()]
}

function countsOf({ type, values }: MetricSnapshot): readonly MetricSample[] | undefined {
  if (type === 'counter' || type === 'histogram') return values
  // Its quantiles carry the summary's own name.
  if (type === 'summary') return values.filter(({ metricName }) => metricName !== undefined)
  return undefined
}

function addSamples(a: readonly MetricSample[], b: readonly MetricSample[]): MetricSample[] {
  const sums = new Map<string, MetricSample>()
  for (const sample of [...a, ...b]) {
    const series = seriesOf(sample)
    const known = sums.get(series)
    sums.set(series, known ? { ...known, value: Number(known.value) + Number(sample.value) } : sample)
  }
  return [...sums.values()]
}

function seriesOf({ metricName = '', labels }: MetricSample): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([metricName, sorted])
}
