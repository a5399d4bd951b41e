import type { Closeable } from '../closeable.ts'
import { type FleetHealth, fleetHealth } from '../health/fleet-health.ts'
import { reusePortWarning } from '../sockets/reuse-port.ts'
import type { Replacement } from '../watch/replacement.ts'
import { CrashLoopError, ReloadFailedError } from './errors.ts'
import { Fleet } from './fleet.ts'
import { Place } from './place.ts'
import { youngMs } from './restart-policy.ts'
import { type Succession, troubleOf, within } from './successor.ts'
import type { SupervisorOptions } from './supervisor-options.ts'
import { displayExit, type WorkerExit, type WorkerHandle } from './worker-handle.ts'

/** A signal to the whole group reaches the workers first; so long the supervisor waits for its own. Milliseconds. */
const groupSignalMs = 100

/** The primary process: starts the workers, replaces those that die, rolls them over, and ends them. */
export class Supervisor implements Closeable {
  /** Resolves after `close()`; rejects with `CrashLoopError` when the supervisor gave up. */
  readonly ended: Promise<void>
  readonly #settle: { resolve: () => void; reject: (reason: unknown) => void }
  readonly #options: SupervisorOptions
  readonly #places: readonly Place[]
  readonly #fleet: Fleet
  #generation = 1
  #isStopping = false
  #isClosing = false
  #hasServed = false
  #turn: Promise<unknown> = Promise.resolve()
  #nextReload: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#fleet = new Fleet({
      settings: options,
      onLeaving: (worker) => this.#letGo(worker),
      onExit: (worker, exit) => this.#bury(worker, exit),
      replace: (worker, replacement) => this.replace(worker, replacement),
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

  /** Heap snapshots and CPU profiles of workers. */
  get captures(): Fleet['captures'] {
    return this.#fleet.captures
  }

  get health(): FleetHealth {
    return fleetHealth(this.#places, this.#fleet.readiness, this.#isStopping)
  }

  /** Every worker that is alive, with the number of those who died in its place. */
  workers(): (readonly [WorkerHandle, number])[] {
    return [...this.#fleet.living].map((worker) => [worker, this.#places[worker.instance]?.deaths ?? 0])
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
   * it does, and has lived for a second. Called during a reload, it reloads once more after that; when the cluster
   * stops, it does nothing.
   */
  reload(): Promise<void> {
    // One that has not begun will find the newest build anyway.
    this.#nextReload ??= this.#inTurn(async () => {
      this.#nextReload = undefined
      if (this.#isStopping) return
      const rolled = this.#roll()
      this.#options.onReload?.(rolled)
      await rolled
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
      this.#fleet.countRestart(reason)
      const { trouble, relieved } = await this.#succeed(place, isHung === undefined)
      if (this.#isClosing) return
      if (trouble) this.#options.log(`no successor of worker ${worker.pid} came up: ${trouble} (${reason})`)
      if (isHung?.()) worker.kill()
      await relieved?.drain()
    }
    await (isHung ? act() : this.#inTurn(act))
  }

  /** From now on nobody is ready, and there are no more reloads; the workers accept and answer as before. */
  announceStop(): void {
    this.#isStopping = true
    this.#fleet.announceStop()
  }

  /**
   * Drains all workers at once; resolves when the last one is gone. An idle connection may bring another request
   * for so many milliseconds; default: for half of the drain.
   */
  async close(idleMs?: number): Promise<void> {
    this.announceStop()
    this.#isClosing = true
    for (const place of this.#places) place.cancelRestart()
    await this.#fleet.drain(idleMs)
    this.#settle.resolve()
  }

  async #roll(): Promise<void> {
    this.#generation += 1
    const successors: (WorkerHandle | undefined)[] = []
    for (const [replaced, place] of this.#places.entries()) {
      if (this.#isStopping) return
      const { trouble, relieved } = await this.#succeed(place, true)
      if (trouble) {
        if (this.#isStopping) return
        const rest =
          replaced === 0
            ? 'the old workers go on serving'
            : `${replaced} workers run it, the others go on with the old one`
        throw new ReloadFailedError(`The new build did not come up: ${trouble}; ${rest}`)
      }
      successors.push(place.worker)
      await relieved?.drain()
    }
    // Who has taken the place of a successor since may not have come to listen yet, and its port is kept for it.
    const isWhole = this.#places.every(
      ({ worker }, at) => worker?.state === 'serving' && worker === successors[at],
    )
    if (isWhole) this.#fleet.sockets.prune()
  }

  /**
   * Starts a successor, and puts it in charge when it is up; else ends it. One whose forerunner hangs is not proven
   * first: whatever it lacks, it is better.
   */
  async #succeed(place: Place, isProven: boolean): Promise<Succession> {
    const { startMs, settleMs = 1_000 } = this.#options
    const successor = this.#fork(place, isProven)
    const trouble = await troubleOf(successor, this.#fleet, {
      addresses: place.worker?.addresses,
      startMs,
      settleMs: isProven ? settleMs : undefined,
    })
    if (this.#isClosing) return { trouble: 'the cluster stops' }
    if (trouble) {
      successor.kill()
      return { trouble }
    }
    this.#options.log(`worker ${successor.pid} takes the place of ${place.worker?.pid}`)
    return { relieved: place.settle(successor) }
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
    const worker = this.#fork(place, false)
    place.occupy(worker)
    const listens = await within(startMs, worker.listens())
    if (!listens && worker.state === 'starting') {
      log(
        `worker ${worker.pid} does not listen on any port after ${startMs / 1_000} s; ` +
          'it goes on, but what never listens can only be restarted, not reloaded',
      )
    }
    return listens
  }

  #fork({ instance }: Place, isOnTrial: boolean): WorkerHandle {
    return this.#fleet.fork(instance, this.#generation, { isOnTrial })
  }

  #bury(worker: WorkerHandle, exit: WorkerExit): void {
    this.#hasServed ||= worker.livedMs >= youngMs
    const place = this.#placeOf(worker)
    // A successor that did not come up, or an old worker that left as told, leaves no place empty.
    if (this.#isClosing || !place) return

    const reason = exit.failure ? 'not started' : (exit.signal ?? (exit.code === 0 ? 'exited' : 'crashed'))
    this.#fleet.countRestart(reason)
    const decision = place.decide(worker, {
      othersLive: this.#fleet.living.size > 0,
      hasServed: this.#hasServed,
    })
    const death = `worker ${worker.pid ?? place.instance} ${displayExit(exit)}`
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
    this.#isStopping = true
    this.#isClosing = true
    for (const place of this.#places) place.cancelRestart()
    this.#fleet.kill()
    this.#settle.reject(new CrashLoopError(reason))
  }

  #placeOf(worker: WorkerHandle): Place | undefined {
    return this.#places.find((place) => place.worker === worker)
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
