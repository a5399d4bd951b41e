import type { Closeable } from '../closeable.ts'
import { withDeadline } from '../deadline.ts'
import { InvalidOptionError } from '../errors.ts'
import { harmless } from '../harmless.ts'
import type { MetricSnapshot } from '../link/messages.ts'
import { checkOptionNames } from '../options.ts'
import type { Reporter } from '../report.ts'
import { vitalsMetrics } from '../watch/vitals-metrics.ts'
import { operationBuckets } from './buckets.ts'
import { chooseExposition, contentTypes, type Exposition, expositionOf } from './exposition.ts'
import { OperationHistograms } from './operation-histograms.ts'
import { ownStats } from './own-stats.ts'
import { type Histogram, isHistogramOf, type MetricsRegistry, type PromClient } from './prom-client.ts'
import { readRegistry } from './registry-snapshot.ts'
import { type WorkerMetrics, workerMetrics } from './worker-metrics.ts'

export interface MetricsOptions {
  /** prom-client, or `@prometheus-io/client`: the module itself, as the app imported it. */
  readonly client: PromClient
  /** Where the metrics are kept. Default: the client's global registry, so that the app's own are served too. */
  readonly registry?: MetricsRegistry | undefined
}

/** What Prometheus is answered. */
export interface Scrape {
  readonly contentType: string
  readonly text: string
}

/** Half of what Prometheus waits by default, so that it hears why rather than nothing. Milliseconds. */
const scrapeWithinMs = 5_000

/** Metrics of this process, and of all workers of the machine where a supervisor runs it. */
export class Metrics implements Closeable {
  /**
   * Counts and times every operation of the module it is given to: `createCache({ report: metrics.report })`.
   * Never throws: what it cannot count, it says once on stderr. What an app gives too many names to is counted
   * as `other`.
   */
  readonly report: Reporter = harmless('counted', (report) => this.#operations.observe(report))
  readonly #client: PromClient
  readonly #registry: MetricsRegistry
  readonly #worker: WorkerMetrics | undefined
  readonly #histograms = new Map<string, Histogram>()
  readonly #operations = new OperationHistograms((name, help, labels) => this.histogram(name, help, labels))

  constructor(options: MetricsOptions) {
    checkOptionNames('createMetrics', options, ['client', 'registry'])
    const { client, registry = client?.register } = options
    if (typeof client?.Histogram !== 'function') {
      const expected = 'the module prom-client or @prometheus-io/client'
      throw new InvalidOptionError('createMetrics', 'client', client, expected)
    }
    this.#client = client
    this.#registry = registry
    this.#worker = workerMetrics()
    this.#worker?.add(registry)
    // It counts from now on.
    if (!this.#worker) ownStats()
  }

  /**
   * All metrics as Prometheus reads them: classic text, or OpenMetrics for who asks for it in `accept`, the
   * request's header. Under a supervisor those of all workers, the dead included (a counter never falls), and
   * of every registry that a worker made `Metrics` over; else those of this registry and of this process.
   * Rejects when a metric cannot be read, and with `DeadlineExceededError` after 5 seconds. Exemplars are only
   * in what a registry of the same format writes without a supervisor.
   */
  async scrape(accept?: string): Promise<Scrape> {
    const exposition = chooseExposition(accept)
    const text = await withDeadline('Reading the metrics', scrapeWithinMs, (signal) =>
      this.#write(exposition, signal),
    )
    return { contentType: contentTypes[exposition], text }
  }

  /**
   * The histogram of that name, made if it is not there; one that the app has made is used as it is.
   * Throws `InvalidOptionError` when the app's metric of that name is of another type or lacks a label.
   */
  histogram(name: string, help: string, labelNames: string[]): Histogram {
    const known = this.#histograms.get(name) ?? this.#made(name, labelNames)
    const registers = [this.#registry as never]
    const histogram =
      known ??
      new this.#client.Histogram({ name, help, labelNames, buckets: [...operationBuckets], registers })
    this.#histograms.set(name, histogram)
    return histogram
  }

  /** Says a last time what was counted here. */
  async close(): Promise<void> {
    await this.#worker?.flush()
  }

  async #write(exposition: Exposition, signal: AbortSignal): Promise<string> {
    if (!this.#worker) return this.#writeAlone(exposition)
    return this.#render(exposition, await this.#worker.scrape(signal))
  }

  async #writeAlone(exposition: Exposition): Promise<string> {
    // A supervisor tells of its workers itself; without one this process is the only one.
    const vitals = vitalsMetrics('0', await ownStats().take())
    if (expositionOf(this.#registry.contentType) !== exposition) {
      return this.#render(exposition, [vitals, (await readRegistry(this.#registry)).map(asItIs)])
    }
    // As the client writes its own: nothing that it knows is lost, exemplars among it.
    const theirs = await this.#registry.metrics()
    const ours = await this.#render(exposition, [vitals])
    return theirs.replace(/# EOF\n$/, '').trimStart() + ours
  }

  #render(exposition: Exposition, snapshots: MetricSnapshot[][]): Promise<string> {
    const named =
      exposition === 'openmetrics' ? snapshots.map((metrics) => metrics.map(withoutTotal)) : snapshots
    return this.#client.AggregatorRegistry.aggregate(named, contentTypes[exposition]).metrics()
  }

  #made(name: string, labelNames: readonly string[]): Histogram | undefined {
    // The registry gives undefined or one of the client's metrics.
    const metric = this.#registry.getSingleMetric(name) as object | undefined
    if (metric === undefined || isHistogramOf(labelNames, metric)) return metric
    const labels = labelNames.join(', ')
    const expected = `one whose "${name}" is a histogram with the labels ${labels} and without exemplars`
    throw new InvalidOptionError('createMetrics', 'registry', this.#registry, expected)
  }
}

/** Metrics over the app's own prom-client. Throws `InvalidOptionError` when it is not one. */
export function createMetrics(options: MetricsOptions): Metrics {
  return new Metrics(options)
}

/** Of one process there is nothing to add up, nor to leave out. */
function asItIs(metric: MetricSnapshot): MetricSnapshot {
  return { ...metric, aggregator: 'first' }
}

/** In OpenMetrics both clients add `_total` to a counter's samples; from aggregated ones they do not take it off first. */
function withoutTotal(metric: MetricSnapshot): MetricSnapshot {
  return metric.type === 'counter' ? { ...metric, name: metric.name.replace(/_total$/, '') } : metric
}
