import type { Closeable } from '../closeable.ts'
import type { MetricSnapshot } from '../cluster/messages.ts'
import { type SupervisorLink, supervisorLink } from '../cluster/supervisor-link.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkOptionNames } from '../options.ts'
import type { Report, Reporter } from '../report.ts'
import { closeOnShutdown } from '../shutdown.ts'
import type { Histogram, MetricsRegistry, PromClient } from './prom-client.ts'

export interface MetricsOptions {
  /** prom-client, or `@prometheus-io/client`: the module itself, as the app imported it. */
  readonly client: PromClient
  /** Where the metrics are kept. Default: the client's global registry, so that the app's own are served too. */
  readonly registry?: MetricsRegistry | undefined
}

/** Upper bounds in seconds, from a cached answer to a hopeless one. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** How often a worker tells its supervisor what it has counted: a kill -9 loses at most this much. */
const snapshotEveryMs = 1_000

/** Metrics of this process, and of all workers of the machine where a supervisor runs it. */
export class Metrics implements Closeable {
  /** Counts and times every operation of the module it is given to: `createCache({ report: metrics.report })`. */
  readonly report: Reporter = (report) => this.#observe(report)
  readonly #client: PromClient
  readonly #registry: MetricsRegistry
  readonly #link: SupervisorLink | undefined = supervisorLink()
  readonly #histograms = new Map<string, Histogram>()
  readonly #scrapes = new Map<number, (snapshots: MetricSnapshot[][]) => void>()
  readonly #timer: NodeJS.Timeout | undefined
  #lastScrape = 0

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
    if (!this.#link) return

    this.#link.listen((message) => {
      if (message.stepladder !== 'snapshots') return
      this.#scrapes.get(message.id)?.(message.snapshots.map((snapshot) => [...snapshot]))
      this.#scrapes.delete(message.id)
    })
    this.#timer = setInterval(() => this.#sendSnapshot(), snapshotEveryMs).unref()
    closeOnShutdown(this)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics as Prometheus reads them, of all workers, the dead included: a counter never falls. */
  async text(): Promise<string> {
    const link = this.#link
    if (!link) return this.#registry.metrics()

    const snapshot = await this.#snapshot()
    const id = ++this.#lastScrape
    const snapshots = await new Promise<MetricSnapshot[][]>((resolve) => {
      this.#scrapes.set(id, resolve)
      link.send({ stepladder: 'scrape', id, snapshot })
    })
    return this.#client.AggregatorRegistry.aggregate(snapshots).metrics()
  }

  /** The histogram of that name, made if it is not there; one that the app has made is used as it is. */
  histogram(name: string, help: string, labelNames: string[]): Histogram {
    const known = this.#histograms.get(name) ?? this.#registry.getSingleMetric(name)
    const registers = [this.#registry as never]
    const histogram = known ?? new this.#client.Histogram({ name, help, labelNames, buckets, registers })
    // Nobody registers another kind of metric under a name that ends in `_seconds` of ours.
    this.#histograms.set(name, histogram as Histogram)
    return histogram as Histogram
  }

  /** Says a last time what was counted here. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#sendSnapshot()
  }

  #observe({ component, name, operation, outcome, ms }: Report): void {
    this.histogram(
      `stepladder_${component}_operation_seconds`,
      `How long operations of ${component} took, by outcome`,
      ['name', 'operation', 'outcome'],
    ).observe({ name, operation, outcome }, ms / 1_000)
  }

  async #sendSnapshot(): Promise<void> {
    await this.#link?.send({ stepladder: 'snapshot', snapshot: await this.#snapshot() })
  }

  async #snapshot(): Promise<readonly MetricSnapshot[]> {
    // Both clients give this shape; their types say less than that.
    return (await this.#registry.getMetricsAsJSON()) as readonly MetricSnapshot[]
  }
}

/** Metrics over the app's own prom-client. Throws `InvalidOptionError` when it is not one. */
export function createMetrics(options: MetricsOptions): Metrics {
  return new Metrics(options)
}
