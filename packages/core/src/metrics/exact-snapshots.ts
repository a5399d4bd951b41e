import type { MetricSample, MetricSnapshot } from '../link/messages.ts'
import { ExactSum } from './exact-sum.ts'

/** The samples of a metric that only ever grow: of a counter, a histogram, and a summary's sum and count. */
export function countsOf({ type, values }: MetricSnapshot): readonly MetricSample[] {
  if (type === 'counter' || type === 'histogram') return values
  // Its quantiles carry the summary's own name.
  if (type === 'summary') return values.filter(({ metricName }) => metricName !== undefined)
  return []
}

/** Names a series, whatever the order of its labels. */
export function seriesOf({ metricName = '', labels }: MetricSample): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([metricName, sorted])
}

/**
 * The same snapshots, to be summed by a client without loss: of each series with fractions, the first sample
 * has the exact sum of all, and the others have 0. Whole numbers need no such care, and are by far the most.
 */
export function withExactSums(snapshots: readonly MetricSnapshot[][]): MetricSnapshot[][] {
  const metrics = snapshots.flat()
  const fractional = new Set(
    metrics.flatMap((metric) =>
      countsOf(metric)
        .filter(isFraction)
        .map((sample) => kindOf(metric, sample)),
    ),
  )
  const sums = new Map<string, ExactSum>()
  const summed = (metric: MetricSnapshot) =>
    countsOf(metric).filter((sample) => isSummed(metric) && fractional.has(kindOf(metric, sample)))
  for (const metric of metrics) {
    for (const sample of summed(metric)) {
      const key = `${metric.name} ${seriesOf(sample)}`
      const sum = sums.get(key) ?? new ExactSum()
      sums.set(key, sum)
      sum.add(Number(sample.value))
    }
  }
  return snapshots.map((snapshot) =>
    snapshot.map((metric) => {
      const samples = new Set(summed(metric))
      if (samples.size === 0) return metric
      const values = metric.values.map((sample) => {
        if (!samples.has(sample)) return sample
        const key = `${metric.name} ${seriesOf(sample)}`
        const value = sums.get(key)?.rounded() ?? 0
        sums.delete(key)
        return { ...sample, value }
      })
      return { ...metric, values }
    }),
  )
}

/** An app may have its counter aggregated in another way. */
function isSummed({ aggregator = 'sum' }: MetricSnapshot): boolean {
  return aggregator === 'sum'
}

function kindOf({ name }: MetricSnapshot, { metricName = '' }: MetricSample): string {
  return `${name} ${metricName}`
}

function isFraction({ value }: MetricSample): boolean {
  return !Number.isSafeInteger(Number(value))
}
