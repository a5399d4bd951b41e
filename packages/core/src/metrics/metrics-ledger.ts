import type { MetricSample, MetricSnapshot } from '../link/messages.ts'
import { wireNumber } from '../link/metric-wire.ts'
import { countsOf, seriesOf } from './exact-snapshots.ts'
import { ExactSum } from './exact-sum.ts'

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
  readonly #retired = new Retired()

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
    this.#retired.add(last.snapshot)
  }

  /** To be summed exactly, by `withExactSums`: a plain sum of parts would lose what they keep. */
  snapshots(): MetricSnapshot[][] {
    const latest = [...this.#latest.values()].map(({ snapshot }) => [...snapshot])
    return [...this.#retired.snapshots(), ...latest]
  }
}

/** A metric of the dead, with the exact sum of each of its series. */
interface RetiredMetric {
  readonly metric: MetricSnapshot
  readonly series: Map<string, { readonly sample: MetricSample; readonly sum: ExactSum }>
}

/** What the dead have counted. */
class Retired {
  readonly #metrics = new Map<string, RetiredMetric>()

  add(snapshot: readonly MetricSnapshot[]): void {
    for (const metric of snapshot) {
      const counts = countsOf(metric)
      if (counts.length === 0) continue
      const { series } = this.#metrics.get(metric.name) ?? this.#begin(metric)
      for (const sample of counts) {
        const known = series.get(seriesOf(sample)) ?? { sample, sum: new ExactSum() }
        series.set(seriesOf(sample), known)
        known.sum.add(Number(sample.value))
      }
    }
  }

  /** As many snapshots as there are parts to the sum that has most; as a rule one or two. */
  snapshots(): MetricSnapshot[][] {
    const all = [...this.#metrics.values()]
    let parts = 1
    for (const { series } of all) {
      for (const { sum } of series.values()) parts = Math.max(parts, sum.parts.length)
    }
    return Array.from({ length: parts }, (_, part) =>
      all.map(({ metric, series }) => ({
        ...metric,
        values: [...series.values()].flatMap((one) => partOf(one, part)),
      })),
    )
  }

  #begin(metric: MetricSnapshot): RetiredMetric {
    const begun = { metric, series: new Map() }
    this.#metrics.set(metric.name, begun)
    return begun
  }
}

function partOf({ sample, sum }: { sample: MetricSample; sum: ExactSum }, part: number): MetricSample[] {
  const value = sum.parts[part]
  return value === undefined ? [] : [{ ...sample, value: wireNumber(value) }]
}
