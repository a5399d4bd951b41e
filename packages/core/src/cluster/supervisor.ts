import cluster from 'node:cluster'
import type { Closeable } from '../closeable.ts'
import { StepladderError } from '../errors.ts'
import { MessageHub } from './message-hub.ts'
import type { ToSupervisor } from './messages.ts'
import { MetricsLedger } from './metrics-ledger.ts'
import { decideRestart, youngMs } from './restart-policy.ts'
import { supervisorSnapshot } from './supervisor-metrics.ts'
import { type WorkerExit, WorkerHandle } from './worker-handle.ts'

/** How new connections reach the workers: one socket that all accept from, or handed out in turn. */
export type Distribution = 'shared' | 'round-robin'

export interface SupervisorOptions {
  readonly workers: number
  readonly distribution: Distribution
  /** What a worker runs, and with which arguments; default: what this process runs. */
  readonly exec?: string | undefined
  readonly args?: readonly string[] | undefined
  readonly execArgv?: readonly string[] | undefined
  /** How long a worker may take to finish what it began, in milliseconds. */
  readonly drainMs: number
  /** How long a worker may take until it listens, in milliseconds. */
  readonly startMs: number
  readonly log: (line: string) => void
}

/** Ends `ended` when the workers cannot be kept alive. */
export class CrashLoopError extends StepladderError {
  readonly code = 'CRASH_LOOP'
}

/** Thrown by `reload()` when the new build did not come up; the old workers go on serving. */
export class ReloadFailedError extends StepladderError {
  readonly code = 'RELOAD_FAILED'
}

/** The primary process: starts the workers, replaces those that die, rolls them over, and ends them. */
export class Supervisor implements Closeable {
  /** Resolves after `close()`; rejects with `CrashLoopError` when the supervisor gave up. */
  readonly ended: Promise<void>
  readonly #settle: { resolve: () => void; reject: (reason: unknown) => void }
  readonly #options: SupervisorOptions
  /** Who is in charge of each place; a successor is so only when it listens. */
  readonly #places = new Map<number, WorkerHandle>()
  readonly #living = new Set<WorkerHandle>()
  readonly #hub = new MessageHub()
  readonly #ledger = new MetricsLedger<WorkerHandle>()
  readonly #restarts = new Map<string, number>()
  #youngDeaths = 0
  #isClosing = false
  #reloading: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ended = promise
    this.#settle = { resolve, reject }
  }

  /** Starts the workers; resolves, when each of them listens or has died, to how many listen. */
  async start(): Promise<number> {
    const { workers, distribution, exec, args, execArgv } = this.#options
    cluster.schedulingPolicy = distribution === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR
    cluster.setupPrimary({
      ...(exec === undefined ? {} : { exec }),
      ...(args === undefined ? {} : { args: [...args] }),
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    })
    const started = Array.from({ length: workers }, (_, instance) => this.#occupy(instance))
    const listening = await Promise.all(started.map((worker) => worker.listens))
    return listening.filter(Boolean).length
  }

  /** A new worker for each old one, one at a time; each old one drains when its successor listens. */
  reload(): Promise<void> {
    this.#reloading ??= this.#roll().finally(() => {
      this.#reloading = undefined
    })
    return this.#reloading
  }

  /** Drains all workers at once; resolves when the last one is gone. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#living].map((worker) => worker.drain(this.#options.drainMs)))
    this.#settle.resolve()
  }

  async #roll(): Promise<void> {
    const { startMs, drainMs, log } = this.#options
    for (const instance of [...this.#places.keys()]) {
      if (this.#isClosing) return
      const successor = this.#fork(instance)
      const tooLate = setTimeout(() => successor.kill(), startMs)
      const listens = await successor.listens
      clearTimeout(tooLate)
      if (!listens)
        throw new ReloadFailedError('The new build did not come up; the old workers go on serving')

      const old = this.#places.get(instance)
      this.#places.set(instance, successor)
      log(`worker ${successor.pid} takes the place of ${old?.pid}`)
      await old?.drain(drainMs)
    }
  }

  #occupy(instance: number): WorkerHandle {
    const worker = this.#fork(instance)
    this.#places.set(instance, worker)
    return worker
  }

  #fork(instance: number): WorkerHandle {
    const worker = new WorkerHandle(instance, (message) => this.#hear(worker, message))
    this.#living.add(worker)
    this.#hub.join(worker)
    worker.exited.then((exit) => this.#bury(worker, exit))
    return worker
  }

  #bury(worker: WorkerHandle, exit: WorkerExit): void {
    this.#living.delete(worker)
    this.#hub.leave(worker)
    this.#ledger.retire(worker)
    // A successor that did not come up, or an old worker that left as told, leaves no place empty.
    if (this.#isClosing || this.#places.get(worker.instance) !== worker) return

    const reason = exit.signal ?? (exit.code === 0 ? 'exited' : 'crashed')
    this.#restarts.set(reason, (this.#restarts.get(reason) ?? 0) + 1)
    this.#replace(worker, `worker ${worker.pid} ${display(exit)}`)
  }

  #replace(worker: WorkerHandle, death: string): void {
    const { log } = this.#options
    this.#youngDeaths = worker.livedMs < youngMs ? this.#youngDeaths + 1 : 0
    const decision = decideRestart({
      livedMs: worker.livedMs,
      youngDeaths: this.#youngDeaths,
      othersServe: [...this.#living].some(({ state }) => state === 'serving'),
    })
    if (decision.kind === 'give-up') {
      for (const other of this.#living) other.kill()
      this.#settle.reject(new CrashLoopError(`${death}; giving up: ${decision.reason}`))
      return
    }
    log(`${death}; replacing it ${decision.afterMs === 0 ? 'now' : `in ${Math.round(decision.afterMs)} ms`}`)
    setTimeout(() => {
      if (!this.#isClosing && this.#places.get(worker.instance) === worker) this.#occupy(worker.instance)
    }, decision.afterMs)
  }

  #hear(worker: WorkerHandle, message: ToSupervisor): void {
    this.#hub.hear(worker, message)
    if (message.stepladder === 'snapshot' || message.stepladder === 'scrape') {
      this.#ledger.keep(worker, message)
    }
    if (message.stepladder === 'scrape') {
      const own = supervisorSnapshot(this.#living, this.#restarts)
      worker.send({ stepladder: 'snapshots', id: message.id, snapshots: [own, ...this.#ledger.snapshots()] })
    }
  }
}

function display({ code, signal }: WorkerExit): string {
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`
}
