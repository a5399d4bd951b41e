import type { MetricSnapshot } from '../link/messages.ts'

/**
 * What Stepladder needs of prom-client, which the app passes in: prom-client 15 and its successor
 * `@prometheus-io/client` both fit. Never imported here: two copies would keep two registries.
 */
export interface PromClient {
  readonly register: MetricsRegistry
  readonly Histogram: new (configuration: HistogramConfiguration) => Histogram
  readonly AggregatorRegistry: {
    aggregate(snapshots: MetricSnapshot[][], contentType: string): MetricsRegistry
  }
}

export interface MetricsRegistry {
  readonly contentType: string
  metrics(): Promise<string>
  getMetricsAsJSON(): Promise<unknown>
  getSingleMetric(name: string): unknown
}

export interface Histogram {
  observe(labels: Record<string, string>, seconds: number): void
}

export interface HistogramConfiguration {
  name: string
  help: string
  labelNames: string[]
  buckets: number[]
  // Each client has a Registry class of its own, with private parts; we only pass on what we were given.
  registers: never[]
}

/** Whether `metric` is a histogram that can be observed with these labels; any other throws when it is. */
export function isHistogramOf(labelNames: readonly string[], metric: object): metric is Histogram {
  // Both clients keep what a metric was constructed with; one with exemplars is observed in another way.
  const known = metric as { type?: unknown; labelNames?: readonly string[]; enableExemplars?: boolean }
  if (known.type !== 'histogram' || known.enableExemplars) return false
  return labelNames.every((label) => known.labelNames?.includes(label))
}
