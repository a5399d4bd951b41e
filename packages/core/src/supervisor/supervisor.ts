import { sleep } from '../clock.ts'
import type { Closeable } from '../closeable.ts'
import type { ClusterSettings } from '../cluster/cluster-options.ts'
import type { ToSupervisor } from '../cluster/messages.ts'
import type { NativeHandle } from '../cluster/native-handle.ts'
import { reusePortWarning } from '../cluster/reuse-port.ts'
import { withDeadline } from '../deadline.ts'
import { StepladderError } from '../errors.ts'
import { CaptureDesk } from './capture-desk.ts'
import { type FleetHealth, fleetHealth } from './fleet-health.ts'
import { FleetWatch } from './fleet-watch.ts'
import { LeaderSeat } from './leader-seat.ts'
import { ListeningSockets } from './listening-sockets.ts'
import { MessageHub } from './message-hub.ts'
import { MetricsLedger } from './metrics-ledger.ts'
import { Place } from './place.ts'
import { ReadinessBook } from './readiness-book.ts'
import { youngMs } from './restart-policy.ts'
import { supervisorSnapshot } from './supervisor-metrics.ts'
import { type WorkerExit, WorkerHandle } from './worker-handle.ts'
import type { WorkerProgram } from './worker-process.ts'

export interface SupervisorOptions extends ClusterSettings, WorkerProgram {
  /** A new worker must live so long after it listens before an old one goes, in milliseconds. Default 1000. */
  readonly settleMs?: number | undefined
  /** Workers that cannot be kept alive do not end it: the next reload may mend them. */
  readonly waitsForReload?: boolean | undefined
  /** Hears of each reload when it begins, with its end. */
  readonly onReload?: ((ended: Promise<void>) => void) | undefined
}

/** Why a worker is replaced that is alive. */
export interface Replacement {
  /** One of few: a label of the metric `stepladder_cluster_restarts_total`. */
  readonly reason: string
  /** It hangs: it cannot be asked to drain, and its successor is not kept waiting. Asked when that is up. */
  readonly isHung?: () => boolean
}

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
  /** Heap snapshots and CPU profiles of workers. */
  readonly captures: CaptureDesk<WorkerHandle> = new CaptureDesk()
  readonly #settle: { resolve: () => void; reject: (reason: unknown) => void }
  readonly #options: SupervisorOptions
  readonly #places: readonly Place[]
  readonly #living = new Set<WorkerHandle>()
  readonly #sockets: ListeningSockets
  readonly #hub = new MessageHub()
  readonly #seat = new LeaderSeat()
  readonly #watch: FleetWatch
  readonly #ledger = new MetricsLedger<WorkerHandle>()
  readonly #readiness: ReadinessBook<WorkerHandle>
  readonly #restarts = new Map<string, number>()
  #generation = 1
  #isStopping = false
  #isClosing = false
  #hasServed = false
  #turn: Promise<unknown> = Promise.resolve()
  #nextReload: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#sockets = new ListeningSockets(options.distribution, options.balance)
    this.#readiness = new ReadinessBook((worker, words) => options.log(`worker ${worker.pid} ${words}`))
    this.#watch = new FleetWatch({
      settings: options,
      replace: (worker, why) => this.replace(worker, why),
      log: options.log,
    })
    this.#places = Array.from({ length: options.workers }, (_, instance) => new Place(instance))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ended = promise
    this.#settle = { resolve, reject }
  }

  /** 1 at the start, and one more with each reload that was begun. */
  get generation(): number {
    return this.#generation
  }

  /** Every worker that is alive, with the number of those who died in its place. */
  workers(): (readonly [WorkerHandle, number])[] {
    return [...this.#living].map((worker) => [worker, this.#places[worker.instance]?.deaths ?? 0])
  }

  /** Starts the workers; resolves, when each of them listens or has died or is late, to how many listen. */
  async start(): Promise<number> {
    const warning = this.#options.distribution === 'reuseport' ? reusePortWarning() : undefined
    if (warning) this.#options.log(warning)
    const listening = await Promise.all(this.#places.map((place) => this.#occupy(place)))
    return listening.filter(Boolean).length
  }

  /**
   * A new worker for each old one, one at a time; an old one drains when its successor listens wherever
   * it does, and has lived for a second. Called during a reload, it reloads once more after that.
   */
  reload(): Promise<void> {
    // One that has not begun will find the newest build anyway.
    this.#nextReload ??= this.#inTurn(() => {
      this.#nextReload = undefined
      const rolled = this.#roll()
      this.#options.onReload?.(rolled)
      return rolled
    })
    return this.#nextReload
  }

  /**
   * Another worker takes the place of this one, which then drains. One worker at a time, and not during a
   * reload; one that hangs is replaced at once, and killed if it still hangs when its successor is up.
   */
  async replace(worker: WorkerHandle, { reason, isHung }: Replacement): Promise<void> {
    const place = this.#placeOf(worker)
    const act = async () => {
      if (this.#isClosing || !place || place.worker !== worker) return
      this.#count(reason)
      const trouble = await this.#succeed(place, isHung === undefined)
      if (this.#isClosing) return
      if (trouble) this.#options.log(`no successor of worker ${worker.pid} came up: ${trouble} (${reason})`)
      if (isHung?.()) worker.kill()
      else if (!trouble) await worker.drain()
    }
    await (isHung ? act() : this.#inTurn(act))
  }

  get health(): FleetHealth {
    return fleetHealth(this.#places, this.#readiness, this.#isStopping)
  }

  /** From now on nobody is ready, and there are no more reloads; the workers accept and answer as before. */
  announceStop(): void {
    this.#isStopping = true
    for (const worker of this.#living) worker.send({ stepladder: 'stopping' })
  }

  /** Drains all workers at once; resolves when the last one is gone. */
  async close(): Promise<void> {
    this.announceStop()
    this.#isClosing = true
    for (const place of this.#places) place.cancelRestart()
    const drained = [...this.#living].map((worker) => worker.drain())
    this.#sockets.close()
    await Promise.all(drained)
    // A worker that was just starting may have asked for one since, and this process would never end.
    this.#sockets.close()
    await this.#watch.close()
    this.#settle.resolve()
  }

  async #roll(): Promise<void> {
    this.#generation += 1
    for (const [replaced, place] of this.#places.entries()) {
      if (this.#isStopping) return
      const old = place.worker
      const trouble = await this.#succeed(place, true)
      if (trouble) {
        if (this.#isStopping) return
        const rest =
          replaced === 0
            ? 'the old workers go on serving'
            : `${replaced} workers run it, the others go on with the old one`
        throw new ReloadFailedError(`The new build did not come up: ${trouble}; ${rest}`)
      }
      await old?.drain()
    }
    this.#sockets.prune()
  }

  /**
   * Starts a successor, and puts it in charge when it is up; else ends it, and resolves to why it was not. One whose
   * forerunner hangs is not proven first: whatever it lacks, it is better.
   */
  async #succeed(place: Place, isProven: boolean): Promise<string | undefined> {
    const successor = this.#fork(place.instance)
    const trouble = await this.#troubleOf(successor, place.worker?.addresses, isProven)
    if (this.#isClosing) return 'the cluster stops'
    if (trouble) {
      successor.kill()
      return trouble
    }
    this.#options.log(`worker ${successor.pid} takes the place of ${place.worker?.pid}`)
    place.settle(successor)
    return undefined
  }

  /** Waits until a successor is up; resolves to why it is not. */
  async #troubleOf(
    successor: WorkerHandle,
    addresses: ReadonlySet<string> | undefined,
    isProven: boolean,
  ): Promise<string | undefined> {
    const { startMs } = this.#options
    const listens = await within(startMs, successor.listens(addresses))
    if (listens && isProven) {
      await Promise.race([successor.exited, sleep(this.#settleMs)])
      await within(Math.max(0, startMs - successor.livedMs), this.#readiness.whenReady(successor))
    }
    if (successor.state === 'gone') return `worker ${successor.pid} ${display(await successor.exited)}`
    if (successor.state === 'draining') return `worker ${successor.pid} was told to go`
    if (!listens) return `worker ${successor.pid} does not listen after ${startMs / 1_000} s`
    const reason = isProven ? this.#readiness.reason(successor) : undefined
    return reason && `worker ${successor.pid} is not ready: ${reason}`
  }

  /** One at a time, in the order in which they were asked for. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task)
    this.#turn = done.catch(() => {})
    return done
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
    const { drainMs, distribution, hangMs } = this.#options
    const worker = new WorkerHandle({
      instance,
      generation: this.#generation,
      program: this.#options,
      situation: { drainMs, distribution, hangMs },
      hear: (message, handle) => this.#hearSafely(worker, message, handle),
    })
    this.#living.add(worker)
    if (this.#isStopping) worker.send({ stepladder: 'stopping' })
    this.#hub.join(worker)
    this.#watch.join(worker)
    worker.exited.then((exit) => this.#bury(worker, exit))
    return worker
  }

  #bury(worker: WorkerHandle, exit: WorkerExit): void {
    this.#living.delete(worker)
    this.#hub.leave(worker)
    this.#seat.leave(worker)
    this.#watch.leave(worker)
    this.#sockets.leave(worker)
    this.#readiness.forget(worker)
    this.captures.leave(worker)
    this.#hasServed ||= worker.livedMs >= youngMs
    this.#ledger.retire(worker)
    const place = this.#placeOf(worker)
    // A successor that did not come up, or an old worker that left as told, leaves no place empty.
    if (this.#isClosing || !place) return

    const reason = exit.failure ? 'not started' : (exit.signal ?? (exit.code === 0 ? 'exited' : 'crashed'))
    this.#count(reason)
    const decision = place.decide(worker, { othersLive: this.#living.size > 0, hasServed: this.#hasServed })
    const death = `worker ${worker.pid ?? place.instance} ${display(exit)}`
    if (this.#options.waitsForReload && worker.livedMs < youngMs) {
      this.#options.log(`${death}; waiting for a change`)
      return
    }
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
    this.#sockets.close()
    void this.#watch.close()
    this.#settle.reject(new CrashLoopError(reason))
  }

  get #settleMs(): number {
    return this.#options.settleMs ?? 1_000
  }

  #count(reason: string): void {
    this.#restarts.set(reason, (this.#restarts.get(reason) ?? 0) + 1)
  }

  #placeOf(worker: WorkerHandle): Place | undefined {
    return this.#places.find((place) => place.worker === worker)
  }

  /** An app may send anything under our name; it must not end the supervisor. */
  #hearSafely(worker: WorkerHandle, message: ToSupervisor, handle?: NativeHandle): void {
    try {
      this.#hear(worker, message, handle)
    } catch (failure) {
      this.#options.log(
        `worker ${worker.pid} sent what cannot be handled (${message.stepladder}): ${failure}`,
      )
    }
  }

  #hear(worker: WorkerHandle, message: ToSupervisor, handle?: NativeHandle): void {
    this.#hub.hear(worker, message)
    this.#seat.hear(worker, message)
    this.#watch.hear(worker, message)
    this.#sockets.hear(worker, message, handle)
    this.#readiness.hear(worker, message)
    this.captures.hear(message)
    if (message.stepladder === 'leaving') this.#letGo(worker)
    if (message.stepladder === 'snapshot' || message.stepladder === 'scrape') {
      this.#ledger.keep(worker, message)
    }
    if (message.stepladder === 'scrape') {
      const own = supervisorSnapshot(this.#living, this.#restarts)
      const snapshots = [own, ...this.#watch.metrics(), ...this.#ledger.snapshots()]
      worker.send({ stepladder: 'snapshots', id: message.id, snapshots })
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
