import type { Closeable } from '../closeable.ts'
import type { MetricSnapshot } from '../cluster/messages.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkOptionNames } from '../options.ts'
import type { Report, Reporter } from '../report.ts'
import { type Histogram, isHistogramOf, type MetricsRegistry, type PromClient } from './prom-client.ts'
import { type WorkerMetrics, workerMetrics } from './worker-metrics.ts'

export interface MetricsOptions {
  /** prom-client, or `@prometheus-io/client`: the module itself, as the app imported it. */
  readonly client: PromClient
  /** Where the metrics are kept. Default: the client's global registry, so that the app's own are served too. */
  readonly registry?: MetricsRegistry | undefined
}

/** Upper bounds in seconds, from a cached answer to a hopeless one. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Metrics of this process, and of all workers of the machine where a supervisor runs it. */
export class Metrics implements Closeable {
  /**
   * Counts and times every operation of the module it is given to: `createCache({ report: metrics.report })`.
   * Never throws: what it cannot count, it says once on stderr.
   */
  readonly report: Reporter = (report) => this.#observe(report)
  readonly #client: PromClient
  readonly #registry: MetricsRegistry
  readonly #worker: WorkerMetrics | undefined
  readonly #histograms = new Map<string, Histogram>()
  readonly #uncounted = new Set<string>()

  constructor(options: MetricsOptions) {
    checkOptionNames('createMetrics', options, ['client', 'registry'])
    const { client, registry = client?.register } = options
    if (typeof client?.Histogram !== 'function') {
      throw new InvalidOptionError(
        'createMetrics',
        'client',
        client,
        'the module prom-client or @prometheus-io/client',
      )
    }
    this.#client = client
    this.#registry = registry
    this.#worker = workerMetrics()
    this.#worker?.add(registry)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /**
   * All metrics as Prometheus reads them. Under a supervisor those of all workers, the dead included (a
   * counter never falls), and of every registry that a worker made `Metrics` over; else those of this
   * registry. Rejects when a metric cannot be read.
   */
  async text(): Promise<string> {
    if (!this.#worker) return this.#registry.metrics()

    const snapshots = await this.#worker.scrape()
    const named = this.contentType.startsWith('application/openmetrics-text')
      ? snapshots.map((snapshot) => snapshot.map(withoutTotal))
      : snapshots
    return this.#client.AggregatorRegistry.aggregate(named, this.contentType).metrics()
  }

  /**
   * The histogram of that name, made if it is not there; one that the app has made is used as it is.
   * Throws `InvalidOptionError` when the app's metric of that name is of another type or lacks a label.
   */
  histogram(name: string, help: string, labelNames: string[]): Histogram {
    const known = this.#histograms.get(name) ?? this.#made(name, labelNames)
    const registers = [this.#registry as never]
    const histogram = known ?? new this.#client.Histogram({ name, help, labelNames, buckets, registers })
    this.#histograms.set(name, histogram)
    return histogram
  }

  /** Says a last time what was counted here. */
  async close(): Promise<void> {
    await this.#worker?.flush()
  }

  #made(name: string, labelNames: readonly string[]): Histogram | undefined {
    // The registry gives undefined or one of the client's metrics.
    const metric = this.#registry.getSingleMetric(name) as object | undefined
    if (metric === undefined || isHistogramOf(labelNames, metric)) return metric
    const labels = labelNames.join(', ')
    const expected = `one whose "${name}" is a histogram with the labels ${labels} and without exemplars`
    throw new InvalidOptionError('createMetrics', 'registry', this.#registry, expected)
  }

  #observe({ component, name, operation, outcome, ms }: Report): void {
    try {
      this.histogram(
        `stepladder_${component}_operation_seconds`,
        `How long operations of ${component} took, by outcome`,
        ['name', 'operation', 'outcome'],
      ).observe({ name, operation, outcome }, ms / 1_000)
    } catch (failure) {
      // Who reports must go on. Said once: a cache reports thousands of times a second.
      if (!this.#uncounted.has(component)) {
        console.error(`stepladder: an operation of ${component} could not be counted:`, failure)
      }
      this.#uncounted.add(component)
    }
  }
}

/** Metrics over the app's own prom-client. Throws `InvalidOptionError` when it is not one. */
export function createMetrics(options: MetricsOptions): Metrics {
  return new Metrics(options)
}

/** In OpenMetrics both clients add `_total` to a counter's samples; from aggregated ones they do not take it off first. */
function withoutTotal(metric: MetricSnapshot): MetricSnapshot {
  return metric.type === 'counter' ? { ...metric, name: metric.name.replace(/_total$/, '') } : metric
}
