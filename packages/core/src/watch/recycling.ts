import { type Backoff, exponentialBackoff } from '../backoff.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { ProcessVitals } from '../link/vitals.ts'

/** When a worker is replaced though it does nothing wrong; what is undefined has no limit. */
export interface RecyclingLimits {
  readonly maxMemoryBytes?: number | undefined
  readonly maxAgeMs?: number | undefined
  readonly maxRequests?: number | undefined
}

/** A label of the metric `stepladder_cluster_restarts_total`. */
export type RecyclingReason = 'memory' | 'age' | 'requests'

export interface Recyclable {
  readonly pid: number | undefined
  readonly state: 'starting' | 'serving' | 'draining' | 'gone'
  readonly livedMs: number
}

export interface RecyclingOptions<Worker> {
  readonly limits: RecyclingLimits
  /** Puts a successor in its place, then drains it. */
  readonly replace: (worker: Worker, reason: RecyclingReason) => Promise<void>
  readonly log: (line: string) => void
  readonly clock?: Clock
  readonly random?: () => number
  /** How long to wait when no successor came up, or when an app needs more memory than it may have. */
  readonly backoff?: Backoff
}

/** A worker that holds too much memory sooner than this will be followed by others that do. Milliseconds. */
const soonMs = 60_000

/** Replaces workers that reached a limit, one at a time. */
export class Recycling<Worker extends Recyclable> {
  readonly #options: RecyclingOptions<Worker>
  readonly #clock: Clock
  readonly #backoff: Backoff
  readonly #limits = new Map<Worker, RecyclingLimits>()
  #isBusy = false
  #inVain = 0
  #notBefore = 0

  constructor(options: RecyclingOptions<Worker>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#backoff = options.backoff ?? exponentialBackoff({ baseMs: 5_000, maxMs: 300_000 })
  }

  join(worker: Worker): void {
    this.#limits.set(worker, drawLimits(this.#options.limits, this.#options.random))
  }

  leave(worker: Worker): void {
    this.#limits.delete(worker)
  }

  /** To be called with each heartbeat: the limits are looked at then. */
  hear(worker: Worker, vitals: Pick<ProcessVitals, 'rssBytes' | 'requests'>): void {
    const limits = this.#limits.get(worker)
    if (!limits || worker.state !== 'serving') return
    if (this.#isBusy || this.#clock.monotonic() < this.#notBefore) return
    const reached = limitReached(limits, vitals, worker.livedMs)
    if (reached) void this.#recycle(worker, reached)
  }

  async #recycle(worker: Worker, { reason, story }: ReachedLimit): Promise<void> {
    this.#isBusy = true
    this.#options.log(`worker ${worker.pid} ${story}; replacing it`)
    const { livedMs } = worker
    try {
      await this.#options.replace(worker, reason)
    } finally {
      this.#isBusy = false
      this.#pause(worker, reason, livedMs)
    }
  }

  #pause(worker: Worker, reason: RecyclingReason, livedMs: number): void {
    const isStillThere = worker.state === 'serving'
    const wasSoon = reason === 'memory' && livedMs < soonMs
    this.#inVain = isStillThere || wasSoon ? this.#inVain + 1 : 0
    if (this.#inVain < 2) return
    const waitMs = this.#backoff(this.#inVain - 1)
    this.#notBefore = this.#clock.monotonic() + waitMs
    if (wasSoon) {
      const seconds = Math.round(waitMs / 1_000)
      this.#options.log(
        `workers reach that limit within a minute; the next is recycled in ${seconds} s at the earliest`,
      )
    }
  }
}

/** Limits of one worker, each up to 10 % off, so that workers that began together do not end together. */
export function drawLimits(
  { maxMemoryBytes, maxAgeMs, maxRequests }: RecyclingLimits,
  random: () => number = Math.random,
): RecyclingLimits {
  const near = (limit: number | undefined) =>
    limit === undefined ? undefined : limit * (0.9 + 0.2 * random())
  return { maxMemoryBytes: near(maxMemoryBytes), maxAgeMs: near(maxAgeMs), maxRequests: near(maxRequests) }
}

export interface ReachedLimit {
  readonly reason: RecyclingReason
  /** What follows the name of the worker. */
  readonly story: string
}

/** Which of its limits a worker has reached, if any. */
export function limitReached(
  { maxMemoryBytes = Infinity, maxAgeMs = Infinity, maxRequests = Infinity }: RecyclingLimits,
  { rssBytes, requests }: Pick<ProcessVitals, 'rssBytes' | 'requests'>,
  livedMs: number,
): ReachedLimit | undefined {
  if (rssBytes >= maxMemoryBytes) {
    return { reason: 'memory', story: `holds ${Math.round(rssBytes / 1024 ** 2)} MB` }
  }
  if (requests >= maxRequests) return { reason: 'requests', story: `has had ${requests} requests` }
  if (livedMs >= maxAgeMs) return { reason: 'age', story: `is ${Math.round(livedMs / 1_000)} s old` }
  return undefined
}
