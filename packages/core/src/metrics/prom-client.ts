import type { MetricSnapshot } from '../cluster/messages.ts'

/**
 * What Stepladder needs of prom-client, which the app passes in: prom-client 15 and its successor
 * `@prometheus-io/client` both fit. Never imported here: two copies would keep two registries.
 */
export interface PromClient {
  readonly register: MetricsRegistry
  readonly Histogram: new (configuration: HistogramConfiguration) => Histogram
  readonly AggregatorRegistry: { aggregate(snapshots: MetricSnapshot[][]): MetricsRegistry }
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
