import type { Closeable } from '../closeable.ts'
import { withDeadline } from '../deadline.ts'
import type { MetricSnapshot } from '../link/messages.ts'
import { fromWire } from '../link/metric-wire.ts'
import { type SupervisorLink, supervisorLink } from '../link/supervisor-link.ts'
import { closeOnShutdown } from '../shutdown.ts'
import { withExactSums } from './exact-snapshots.ts'
import type { MetricsRegistry } from './prom-client.ts'
import { readForWire } from './registry-snapshot.ts'

const key = Symbol.for('stepladder.metrics')

/** How often a worker tells its supervisor what it has counted: a kill -9 loses at most this much. */
const snapshotEveryMs = 1_000
/** A metric that takes longer to read counts as one that cannot be read. Milliseconds. */
const readWithinMs = 5_000

/**
 * The one of this process, also when two copies of this package are installed: the supervisor keeps one
 * snapshot of each worker. Undefined where no supervisor of ours runs this process.
 */
export function workerMetrics(): WorkerMetrics | undefined {
  const link = supervisorLink()
  if (!link) return undefined
  // The registry of symbols is the only place that two copies share; nobody else writes under our key.
  const shared = globalThis as { [key]?: WorkerMetrics }
  shared[key] ??= closeOnShutdown(new WorkerMetrics(link))
  return shared[key]
}

/** The worker's side of the metrics: tells the supervisor what all registries of this process have counted. */
export class WorkerMetrics implements Closeable {
  readonly #link: Pick<SupervisorLink, 'send' | 'listen'>
  readonly #registries = new Set<MetricsRegistry>()
  readonly #scrapes = new Map<number, (snapshots: MetricSnapshot[][]) => void>()
  readonly #timer: NodeJS.Timeout
  #lastId = 0
  #flushing: Promise<void> | undefined
  #isFailing = false

  constructor(link: Pick<SupervisorLink, 'send' | 'listen'>) {
    this.#link = link
    link.listen((message) => {
      if (message.stepladder !== 'snapshots') return
      this.#scrapes.get(message.id)?.(withExactSums(message.snapshots.map(fromWire)))
      this.#scrapes.delete(message.id)
    })
    this.#timer = setInterval(() => this.#flushUnlessUnderWay(), snapshotEveryMs).unref()
  }

  add(registry: MetricsRegistry): void {
    this.#registries.add(registry)
  }

  /**
   * What all workers of the machine have counted, the dead included. Rejects when a metric here cannot be read;
   * waits for the supervisor until the signal is aborted.
   */
  async scrape(signal: AbortSignal): Promise<MetricSnapshot[][]> {
    const { id, snapshot } = await this.#take()
    signal.throwIfAborted()
    const answer = new Promise<MetricSnapshot[][]>((resolve) => this.#scrapes.set(id, resolve))
    signal.addEventListener('abort', () => void this.#scrapes.delete(id), { once: true })
    await this.#link.send({ stepladder: 'scrape', id, snapshot })
    return answer
  }

  /** Tells what was counted until now. Never rejects: a metric that cannot be read must not end a worker. */
  async flush(): Promise<void> {
    try {
      await this.#link.send({ stepladder: 'snapshot', ...(await this.#take()) })
      this.#isFailing = false
    } catch (failure) {
      // Once per outage: this is tried again each second.
      if (!this.#isFailing) console.error('stepladder: the metrics of this worker cannot be read:', failure)
      this.#isFailing = true
    }
  }

  /** Says a last time what was counted here. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  /** A metric that takes long to read would otherwise be asked again by each second. */
  #flushUnlessUnderWay(): void {
    this.#flushing ??= this.flush().finally(() => {
      this.#flushing = undefined
    })
  }

  async #take(): Promise<{ id: number; snapshot: readonly MetricSnapshot[] }> {
    // Numbered before it is read: the supervisor drops one that was overtaken by a younger one.
    const id = ++this.#lastId
    const metrics = await withDeadline('Reading the metrics', readWithinMs, () =>
      Promise.all([...this.#registries].map(readForWire)),
    )
    return { id, snapshot: metrics.flat() }
  }
}
