import type { MetricSample, MetricSnapshot } from './messages.ts'

/** A metric as a client gives it, where it may leave out what goes without saying. */
export type ClientMetric = Omit<MetricSnapshot, 'values'> & { readonly values: readonly ClientSample[] }
type ClientSample = Omit<MetricSample, 'labels'> & { readonly labels?: MetricSample['labels'] }

/** A snapshot that survives JSON, which has no NaN and no infinities: those travel as strings. */
export function toWire(metrics: readonly ClientMetric[]): MetricSnapshot[] {
  return metrics.map((metric) => ({
    ...metric,
    // prom-client throws when it is to aggregate a metric that does not say how.
    aggregator: metric.aggregator ?? 'sum',
    values: metric.values.map(({ value, labels = {}, metricName }) => ({
      value: wireNumber(value),
      labels,
      ...(metricName === undefined ? {} : { metricName }),
    })),
  }))
}

/** A number as it travels in JSON. */
export function wireNumber(value: number | string): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** A snapshot as a client can aggregate it. */
export function fromWire(snapshot: readonly MetricSnapshot[]): MetricSnapshot[] {
  return snapshot.map((metric) => ({
    ...metric,
    values: metric.values.map((sample) => ({ ...sample, value: Number(sample.value) })),
  }))
}
