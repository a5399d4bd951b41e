import type { MetricSnapshot } from '../link/messages.ts'
import { type ClientMetric, fromWire, toWire } from '../link/metric-wire.ts'
import { expositionOf } from './exposition.ts'
import type { MetricsRegistry } from './prom-client.ts'

/**
 * What a registry holds, each counter under one name for good. Both clients take `_total` off a counter's name
 * when they first write it as OpenMetrics, and add it to its samples.
 */
export async function readRegistry(registry: MetricsRegistry): Promise<MetricSnapshot[]> {
  return fromWire(await readForWire(registry))
}

/** The same, so that it survives JSON. */
export async function readForWire(registry: MetricsRegistry): Promise<MetricSnapshot[]> {
  // Both clients give this shape; their types say less than that.
  const metrics = toWire((await registry.getMetricsAsJSON()) as ClientMetric[])
  return expositionOf(registry.contentType) === 'openmetrics' ? metrics.map(withTotal) : metrics
}

function withTotal(metric: MetricSnapshot): MetricSnapshot {
  if (metric.type !== 'counter' || metric.name.endsWith('_total')) return metric
  return { ...metric, name: `${metric.name}_total` }
}
