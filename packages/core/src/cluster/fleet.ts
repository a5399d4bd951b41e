import { MessageHub } from '../channel/message-hub.ts'
import { CaptureDesk } from '../control/capture-desk.ts'
import { ReadinessBook } from '../health/readiness-book.ts'
import { LeaderSeat } from '../leader/leader-seat.ts'
import type { MetricSnapshot, ToSupervisor } from '../link/messages.ts'
import type { NativeHandle } from '../link/native-handle.ts'
import { MetricsLedger } from '../metrics/metrics-ledger.ts'
import { supervisorSnapshot } from '../metrics/supervisor-metrics.ts'
import { ListeningSockets } from '../sockets/listening-sockets.ts'
import { FleetWatch } from '../watch/fleet-watch.ts'
import type { Replacement } from '../watch/replacement.ts'
import { Reaper } from './reaper.ts'
import type { SupervisorOptions } from './supervisor-options.ts'
import { type WorkerExit, WorkerHandle } from './worker-handle.ts'

export interface FleetOptions {
  readonly settings: SupervisorOptions
  /** A worker was told by somebody else to go, and drains. */
  readonly onLeaving: (worker: WorkerHandle) => void
  readonly onExit: (worker: WorkerHandle, exit: WorkerExit) => void
  readonly replace: (worker: WorkerHandle, replacement: Replacement) => Promise<void>
}

/** The workers that are alive, and all that goes by what they say: each message is heard here first. */
export class Fleet {
  readonly living: Set<WorkerHandle> = new Set()
  readonly sockets: ListeningSockets
  readonly readiness: ReadinessBook<WorkerHandle>
  /** Heap snapshots and CPU profiles. */
  readonly captures: CaptureDesk<WorkerHandle> = new CaptureDesk()
  readonly #options: FleetOptions
  readonly #watch: FleetWatch
  readonly #hub = new MessageHub()
  readonly #seat = new LeaderSeat()
  readonly #ledger = new MetricsLedger<WorkerHandle>()
  readonly #reaper = new Reaper()
  readonly #restarts = new Map<string, number>()
  readonly #onTrial = new WeakSet<WorkerHandle>()
  #isStopping = false

  constructor(options: FleetOptions) {
    const { settings, replace } = options
    this.#options = options
    this.sockets = new ListeningSockets(settings)
    this.readiness = new ReadinessBook((worker, words) => settings.log(`worker ${worker.pid} ${words}`))
    this.#watch = new FleetWatch({ settings, replace, log: settings.log })
  }

  /** Starts a worker for a place. One on trial, beside one that serves, accepts only when its checks pass. */
  fork(instance: number, generation: number, { isOnTrial }: { isOnTrial: boolean }): WorkerHandle {
    const { drainMs, distribution, hangMs } = this.#options.settings
    const worker = new WorkerHandle({
      instance,
      generation,
      program: this.#options.settings,
      situation: { drainMs, distribution, hangMs },
      hear: (message, handle) => this.#safely(worker, message, () => this.#hear(worker, message, handle)),
    })
    this.living.add(worker)
    if (isOnTrial) this.#onTrial.add(worker)
    if (worker.pid !== undefined) this.#reaper.join(worker.pid)
    this.#hub.join(worker)
    this.#watch.join(worker)
    if (this.#isStopping) worker.send({ stepladder: 'stopping' })
    worker.exited.then((exit) => {
      this.#forget(worker)
      this.#options.onExit(worker, exit)
    })
    return worker
  }

  /** Resolves when a worker has shown that its event loop turns. */
  whenHeard(worker: WorkerHandle): Promise<void> {
    return this.#watch.whenHeard(worker)
  }

  /** Counts a worker that is replaced, by a reason that is one of few. */
  countRestart(reason: string): void {
    this.#restarts.set(reason, (this.#restarts.get(reason) ?? 0) + 1)
  }

  /** From now on no worker says that it is ready; all accept and answer as before. */
  announceStop(): void {
    this.#isStopping = true
    for (const worker of this.living) worker.send({ stepladder: 'stopping' })
  }

  /** Drains all workers at once; resolves when the last one is gone. */
  async drain(idleMs?: number): Promise<void> {
    const drained = [...this.living].map((worker) => worker.drain(idleMs))
    this.sockets.close()
    await Promise.all(drained)
    // A worker that was just starting may have asked for one since, and this process would never end.
    this.sockets.close()
    await Promise.all([this.#watch.close(), this.#reaper.close()])
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const worker of this.living) worker.kill()
    this.sockets.close()
    void this.#watch.close()
    void this.#reaper.close()
  }

  #forget(worker: WorkerHandle): void {
    this.living.delete(worker)
    if (worker.pid !== undefined) this.#reaper.leave(worker.pid)
    this.#hub.leave(worker)
    this.#seat.leave(worker)
    this.#watch.leave(worker)
    this.sockets.leave(worker)
    this.readiness.forget(worker)
    this.captures.leave(worker)
    this.#ledger.retire(worker)
  }

  /** An app may send anything under our name; it must not end the supervisor. */
  #safely(worker: WorkerHandle, message: ToSupervisor, hear: () => void): void {
    try {
      hear()
    } catch (failure) {
      const { log } = this.#options.settings
      log(`worker ${worker.pid} sent what cannot be handled (${message.stepladder}): ${failure}`)
    }
  }

  #hear(worker: WorkerHandle, message: ToSupervisor, handle?: NativeHandle): void {
    this.#hub.hear(worker, message)
    this.#seat.hear(worker, message)
    this.#watch.hear(worker, message)
    if (message.stepladder === 'listen' && this.#onTrial.has(worker))
      void this.#hearWhenReady(worker, message)
    else this.sockets.hear(worker, message, handle)
    this.readiness.hear(worker, message)
    this.captures.hear(message)
    if (message.stepladder === 'leaving') this.#options.onLeaving(worker)
    if (message.stepladder === 'snapshot' || message.stepladder === 'scrape') {
      this.#ledger.keep(worker, message)
    }
    if (message.stepladder === 'scrape') {
      worker.send({ stepladder: 'snapshots', id: message.id, snapshots: this.#metrics() })
    }
  }

  /** Its `listen` is answered when it is ready: who gets no socket gets no request either. */
  async #hearWhenReady(worker: WorkerHandle, message: ToSupervisor): Promise<void> {
    // What the app checks may be added a moment after it has begun to listen.
    await new Promise(setImmediate)
    await this.readiness.whenReady(worker)
    if (worker.state !== 'starting' && worker.state !== 'serving') return
    this.#safely(worker, message, () => this.sockets.hear(worker, message))
  }

  #metrics(): MetricSnapshot[][] {
    const own = supervisorSnapshot(this.living, this.#restarts)
    return [own, ...this.#watch.metrics(), ...this.#ledger.snapshots()]
  }
}
