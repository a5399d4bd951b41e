import type { Closeable } from '../closeable.ts'
import type { WorkerHandle } from '../cluster/worker-handle.ts'
import type { MetricSnapshot, ToSupervisor } from '../link/messages.ts'
import { AcceptProbe } from './accept-probe.ts'
import { HangWatch } from './hang-watch.ts'
import { Recycling } from './recycling.ts'
import type { Replacement } from './replacement.ts'
import { VitalSigns } from './vital-signs.ts'
import type { WatchSettings } from './watch-options.ts'

export interface FleetWatchOptions {
  readonly settings: WatchSettings
  readonly replace: (worker: WorkerHandle, replacement: Replacement) => Promise<void>
  readonly log: (line: string) => void
}

/** Watches the workers that are alive: which of them hang, which have reached a limit, and how they are. */
export class FleetWatch implements Closeable {
  readonly #vitals = new VitalSigns<WorkerHandle>()
  readonly #probe = new AcceptProbe<WorkerHandle>()
  readonly #hangs: HangWatch<WorkerHandle>
  readonly #recycling: Recycling<WorkerHandle>

  constructor({ settings, replace, log }: FleetWatchOptions) {
    this.#hangs = new HangWatch({
      hangMs: settings.hangMs,
      onHang: (worker, isHung) => void replace(worker, { reason: 'hang', isHung }),
      log,
    })
    this.#recycling = new Recycling({
      limits: settings,
      replace: (worker, reason) => replace(worker, { reason }),
      log,
    })
  }

  join(worker: WorkerHandle): void {
    this.#hangs.join(worker)
    this.#recycling.join(worker)
  }

  leave(worker: WorkerHandle): void {
    this.#vitals.leave(worker)
    this.#hangs.leave(worker)
    this.#recycling.leave(worker)
    this.#probe.leave(worker)
  }

  hear(worker: WorkerHandle, message: ToSupervisor): void {
    if (message.stepladder === 'door') this.#probe.addDoor(worker, message)
    if (message.stepladder !== 'alive') return
    const { isWatched, vitals } = message
    this.#hangs.hear(worker, isWatched)
    this.#vitals.hear(worker, vitals)
    if (vitals) this.#recycling.hear(worker, vitals)
  }

  /** Resolves with the next heartbeat of a worker that sends any, or when it is gone. */
  whenHeard(worker: WorkerHandle): Promise<void> {
    return this.#vitals.whenHeard(worker)
  }

  /** What is known at this moment, without asking anybody. */
  metrics(): MetricSnapshot[][] {
    const stale: MetricSnapshot = {
      name: 'stepladder_cluster_stale_workers',
      help: 'Workers of which nothing was heard for more than a second',
      type: 'gauge',
      aggregator: 'sum',
      values: [{ value: this.#vitals.countStale(), labels: {} }],
    }
    return [[stale, this.#probe.snapshot()], ...this.#vitals.snapshots()]
  }

  async close(): Promise<void> {
    await Promise.all([this.#hangs.close(), this.#probe.close()])
  }
}
