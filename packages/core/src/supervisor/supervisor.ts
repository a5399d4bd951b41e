import cluster from 'node:cluster'
import { sleep } from '../clock.ts'
import type { Closeable } from '../closeable.ts'
import type { ClusterSettings } from '../cluster/cluster-options.ts'
import type { ToSupervisor } from '../cluster/messages.ts'
import { withDeadline } from '../deadline.ts'
import { StepladderError } from '../errors.ts'
import { MessageHub } from './message-hub.ts'
import { MetricsLedger } from './metrics-ledger.ts'
import { Place } from './place.ts'
import { supervisorSnapshot } from './supervisor-metrics.ts'
import { type WorkerExit, WorkerHandle } from './worker-handle.ts'

export interface SupervisorOptions extends ClusterSettings {
  /** What a worker runs, and with which arguments; default: what this process runs. */
  readonly exec?: string | undefined
  readonly args?: readonly string[] | undefined
  readonly execArgv?: readonly string[] | undefined
}

/** A new worker must live so long after it listens before an old one goes, in milliseconds. */
const settleMs = 1_000
/** A signal to the whole group reaches the workers first; so long the supervisor waits for its own. Milliseconds. */
const groupSignalMs = 100

/** Ends `ended` when the workers cannot be kept alive. */
export class CrashLoopError extends StepladderError {
  readonly code = 'CRASH_LOOP'
}

/** Thrown by `reload()` when the new build did not come up; whoever served goes on serving. */
export class ReloadFailedError extends StepladderError {
  readonly code = 'RELOAD_FAILED'
}

/** The primary process: starts the workers, replaces those that die, rolls them over, and ends them. */
export class Supervisor implements Closeable {
  /** Resolves after `close()`; rejects with `CrashLoopError` when the supervisor gave up. */
  readonly ended: Promise<void>
  readonly #settle: { resolve: () => void; reject: (reason: unknown) => void }
  readonly #options: SupervisorOptions
  readonly #places: readonly Place[]
  readonly #living = new Set<WorkerHandle>()
  readonly #hub = new MessageHub()
  readonly #ledger = new MetricsLedger<WorkerHandle>()
  readonly #restarts = new Map<string, number>()
  #isClosing = false
  #reloading: Promise<void> | undefined
  #nextReload: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#places = Array.from({ length: options.workers }, (_, instance) => new Place(instance))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ended = promise
    this.#settle = { resolve, reject }
  }

  /** Starts the workers; resolves, when each of them listens or has died or is late, to how many listen. */
  async start(): Promise<number> {
    const { distribution, exec, args, execArgv } = this.#options
    cluster.schedulingPolicy = distribution === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR
    cluster.setupPrimary({
      ...(exec === undefined ? {} : { exec }),
      ...(args === undefined ? {} : { args: [...args] }),
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    })
    const listening = await Promise.all(this.#places.map((place) => this.#occupy(place)))
    return listening.filter(Boolean).length
  }

  /**
   * A new worker for each old one, one at a time; an old one drains when its successor listens wherever
   * it does, and has lived for a second. Called during a reload, it reloads once more after that.
   */
  reload(): Promise<void> {
    if (this.#reloading) {
      this.#nextReload ??= this.#reloading
        .catch(() => {})
        .then(() => {
          this.#nextReload = undefined
          return this.reload()
        })
      return this.#nextReload
    }
    this.#reloading = this.#roll().finally(() => {
      this.#reloading = undefined
    })
    return this.#reloading
  }

  /** Drains all workers at once; resolves when the last one is gone. */
  async close(): Promise<void> {
    this.#isClosing = true
    for (const place of this.#places) place.cancelRestart()
    await Promise.all([...this.#living].map((worker) => worker.drain()))
    this.#settle.resolve()
  }

  async #roll(): Promise<void> {
    for (const [replaced, place] of this.#places.entries()) {
      if (this.#isClosing) return
      const successor = this.#fork(place.instance)
      const isUp = await this.#comesUp(successor, place.worker?.addresses)
      if (this.#isClosing) return
      if (!isUp) {
        successor.kill()
        const rest =
          replaced === 0
            ? 'the old workers go on serving'
            : `${replaced} workers run it, the others go on with the old one`
        throw new ReloadFailedError(`The new build did not come up in worker ${successor.pid}; ${rest}`)
      }
      const old = place.worker
      place.settle(successor)
      this.#options.log(`worker ${successor.pid} takes the place of ${old?.pid}`)
      await old?.drain()
    }
  }

  async #comesUp(successor: WorkerHandle, addresses: ReadonlySet<string> | undefined): Promise<boolean> {
    if (!(await within(this.#options.startMs, successor.listens(addresses)))) return false
    await Promise.race([successor.exited, sleep(settleMs)])
    return successor.state === 'serving'
  }

  /** Resolves to whether the new worker listens; says so when that takes long. */
  async #occupy(place: Place): Promise<boolean> {
    const { startMs, log } = this.#options
    const worker = this.#fork(place.instance)
    place.worker = worker
    const listens = await within(startMs, worker.listens())
    if (!listens && worker.state === 'starting') {
      log(`worker ${worker.pid} does not listen after ${startMs / 1_000} s; it goes on`)
    }
    return listens
  }

  #fork(instance: number): WorkerHandle {
    const { drainMs } = this.#options
    const worker = new WorkerHandle({ instance, drainMs, hear: (message) => this.#hear(worker, message) })
    this.#living.add(worker)
    this.#hub.join(worker)
    worker.exited.then((exit) => this.#bury(worker, exit))
    return worker
  }

  #bury(worker: WorkerHandle, exit: WorkerExit): void {
    this.#living.delete(worker)
    this.#hub.leave(worker)
    this.#ledger.retire(worker)
    const place = this.#placeOf(worker)
    // A successor that did not come up, or an old worker that left as told, leaves no place empty.
    if (this.#isClosing || !place) return

    const reason = exit.failure ? 'not started' : (exit.signal ?? (exit.code === 0 ? 'exited' : 'crashed'))
    this.#restarts.set(reason, (this.#restarts.get(reason) ?? 0) + 1)
    const decision = place.decide(worker, this.#living.size > 0)
    const death = `worker ${worker.pid ?? place.instance} ${display(exit)}`
    if (decision.kind === 'give-up') {
      this.#giveUp(`${death}; giving up: ${decision.reason}`)
      return
    }
    const when = decision.afterMs === 0 ? 'now' : `in ${Math.round(decision.afterMs)} ms`
    this.#options.log(`${death}; replacing it ${when}`)
    place.restart(decision.afterMs, () => this.#occupy(place))
  }

  #giveUp(reason: string): void {
    this.#isClosing = true
    for (const place of this.#places) place.cancelRestart()
    for (const worker of this.#living) worker.kill()
    this.#settle.reject(new CrashLoopError(reason))
  }

  #placeOf(worker: WorkerHandle): Place | undefined {
    return this.#places.find((place) => place.worker === worker)
  }

  #hear(worker: WorkerHandle, message: ToSupervisor): void {
    this.#hub.hear(worker, message)
    if (message.stepladder === 'leaving') this.#letGo(worker)
    if (message.stepladder === 'snapshot' || message.stepladder === 'scrape') {
      this.#ledger.keep(worker, message)
    }
    if (message.stepladder === 'scrape') {
      const own = supervisorSnapshot(this.#living, this.#restarts)
      worker.send({ stepladder: 'snapshots', id: message.id, snapshots: [own, ...this.#ledger.snapshots()] })
    }
  }

  /** Somebody told this worker alone to go: another takes its place while it drains. */
  #letGo(worker: WorkerHandle): void {
    const place = this.#placeOf(worker)
    worker.drain()
    setTimeout(() => {
      if (this.#isClosing || place?.worker !== worker) return
      this.#options.log(`worker ${worker.pid} was told to go; replacing it now`)
      this.#occupy(place)
    }, groupSignalMs)
  }
}

/** False when that takes longer than so many milliseconds. */
function within(ms: number, task: Promise<boolean>): Promise<boolean> {
  return withDeadline('The start of a worker', ms, () => task).catch(() => false)
}

function display({ code, signal, failure }: WorkerExit): string {
  if (failure) return `could not be started (${failure.message})`
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`
}
