import cluster, { type Worker } from 'node:cluster'
import { type Clock, systemClock } from '../clock.ts'
import { isOurs, type ToSupervisor, type ToWorker } from './messages.ts'
import { supervisedVariable } from './supervisor-link.ts'

/** How a worker ended. */
export interface WorkerExit {
  readonly code: number | null
  readonly signal: string | null
}

/**
 * One worker as the supervisor sees it.
 *
 *   starting --listening--> serving --drain()--> draining --exit--> gone
 *       any state --exit--> gone
 */
export class WorkerHandle {
  /** Its place, 0 to workers - 1, which its replacement inherits; `NODE_APP_INSTANCE` in the worker. */
  readonly instance: number
  readonly startedAt: number
  state: 'starting' | 'serving' | 'draining' | 'gone' = 'starting'
  /** Resolves to true when the worker listens, to false when it died before that. */
  readonly listens: Promise<boolean>
  readonly exited: Promise<WorkerExit>
  readonly #worker: Worker
  readonly #clock: Clock

  constructor(instance: number, hear: (message: ToSupervisor) => void, clock: Clock = systemClock) {
    this.instance = instance
    this.#clock = clock
    this.startedAt = clock.monotonic()
    this.#worker = cluster.fork({ NODE_APP_INSTANCE: instance, [supervisedVariable]: '1' })
    this.exited = new Promise((resolve) => {
      this.#worker.once('exit', (code, signal) => {
        this.state = 'gone'
        resolve({ code, signal })
      })
    })
    this.listens = new Promise((resolve) => {
      this.#worker.once('listening', () => {
        if (this.state === 'starting') this.state = 'serving'
        resolve(true)
      })
      this.exited.then(() => resolve(false))
    })
    this.#worker.on('message', (message: unknown) => {
      // Only our own code in the worker marks its messages so.
      if (isOurs(message)) hear(message as ToSupervisor)
    })
    // A send to a worker that is just dying fails here; its exit says the same.
    this.#worker.on('error', () => {})
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  get livedMs(): number {
    return this.#clock.monotonic() - this.startedAt
  }

  send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.process.send?.(message, () => {})
  }

  /** Lets it finish what it began; kills it when it has not gone a second after the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.state === 'gone') return
    this.state = 'draining'
    this.send({ stepladder: 'drain', deadlineMs })
    const kill = this.#clock.after(deadlineMs + 1_000, () => this.kill())
    await this.exited
    kill.cancel()
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }
}
