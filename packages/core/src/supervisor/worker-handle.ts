import cluster, { type Worker } from 'node:cluster'
import { type Clock, systemClock } from '../clock.ts'
import { isOurs, type ToSupervisor, type ToWorker } from '../cluster/messages.ts'
import { supervisedVariable } from '../worker/supervisor-link.ts'

/** How a worker ended. */
export interface WorkerExit {
  readonly code: number | null
  readonly signal: string | null
  /** It could not even be started. */
  readonly failure?: Error
}

export interface WorkerHandleOptions {
  /** Its place, 0 to workers - 1, which its replacement inherits; `NODE_APP_INSTANCE` in the worker. */
  readonly instance: number
  readonly drainMs: number
  readonly hear: (message: ToSupervisor) => void
  readonly clock?: Clock
}

/**
 * A worker that has not gone so long after its deadline is killed, in milliseconds: a cut drain is followed
 * by a second for what the app registered, and one for its own handlers.
 */
const graceMs = 3_000

/**
 * One worker as the supervisor sees it.
 *
 *   starting --listening--> serving --drain()--> draining --exit--> gone
 *       any state --exit--> gone
 */
export class WorkerHandle {
  readonly instance: number
  state: 'starting' | 'serving' | 'draining' | 'gone' = 'starting'
  /** Where it listens: `127.0.0.1:3000`, the path of a socket. */
  readonly addresses: Set<string> = new Set()
  readonly exited: Promise<WorkerExit>
  readonly #startedAt: number
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #drainMs: number
  readonly #waiting = new Set<() => void>()

  constructor({ instance, drainMs, hear, clock = systemClock }: WorkerHandleOptions) {
    this.instance = instance
    this.#clock = clock
    this.#drainMs = drainMs
    this.#startedAt = clock.monotonic()
    this.#worker = cluster.fork({ NODE_APP_INSTANCE: instance, [supervisedVariable]: drainMs })
    this.exited = this.#whenGone()
    this.#worker.on('message', (message: unknown) => {
      if (!isOurs(message)) return
      // Only our own code in the worker marks its messages so.
      const known = message as ToSupervisor
      if (known.stepladder === 'listening') this.#listensOn(known.address)
      if (known.stepladder === 'closed') this.addresses.delete(known.address)
      if (known.stepladder === 'leaving') this.state = 'draining'
      hear(known)
    })
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  get livedMs(): number {
    return this.#clock.monotonic() - this.#startedAt
  }

  /** Resolves to true when it listens on all these addresses, and on any at all; to false when it died before. */
  async listens(addresses: ReadonlySet<string> = new Set()): Promise<boolean> {
    const isThere = () =>
      this.addresses.size > 0 && [...addresses].every((address) => this.addresses.has(address))
    while (!isThere() && this.state !== 'gone') {
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
    return isThere() && this.state !== 'gone'
  }

  send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.process.send?.(message, () => {})
  }

  /** Lets it finish what it began; kills it when it does not go. */
  async drain(): Promise<void> {
    if (this.state === 'gone') return
    this.state = 'draining'
    this.send({ stepladder: 'drain', deadlineMs: this.#drainMs })
    const kill = this.#clock.after(this.#drainMs + graceMs, () => this.kill())
    await this.exited
    kill.cancel()
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  #listensOn(address: string): void {
    this.addresses.add(address)
    if (this.state === 'starting') this.state = 'serving'
    this.#wake()
  }

  async #whenGone(): Promise<WorkerExit> {
    const exit = await new Promise<WorkerExit>((resolve) => {
      this.#worker.once('exit', (code, signal) => resolve({ code, signal }))
      this.#worker.on('error', (failure) => {
        // A send to a worker that is just dying fails here as well; then its exit tells the same.
        if (this.pid === undefined) resolve({ code: null, signal: null, failure })
      })
    })
    this.state = 'gone'
    this.#wake()
    return exit
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
