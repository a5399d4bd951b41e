import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { type Clock, sleep, systemClock } from '../clock.ts'
import { isOurs, type ToSupervisor, type ToWorker } from '../link/messages.ts'
import type { NativeHandle } from '../link/native-handle.ts'
import type { WorkerSituation } from '../link/supervisor-link.ts'
import { forkWorker, signalGroup, type WorkerProgram } from './worker-process.ts'

/** How a worker ended. */
export interface WorkerExit {
  readonly code: number | null
  readonly signal: string | null
  /** It could not even be started. */
  readonly failure?: Error
}

/** How it ended, in words that follow its name. */
export function displayExit({ code, signal, failure }: WorkerExit): string {
  if (failure) return `could not be started (${failure.message})`
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`
}

export interface WorkerHandleOptions {
  readonly program: WorkerProgram
  readonly situation: WorkerSituation
  /** Its place, 0 to workers - 1, which its replacement inherits; `NODE_APP_INSTANCE` in the worker. */
  readonly instance: number
  /** The reload that brings it; 1 is the start. */
  readonly generation: number
  readonly hear: (message: ToSupervisor, handle?: NativeHandle) => void
  readonly clock?: Clock
}

/**
 * A worker that has not gone so long after its deadline is killed, in milliseconds: a cut drain is followed
 * by a second for what the app registered, and one for its own handlers.
 */
const graceMs = 3_000
/** What a worker had started may take so long to end when the worker is gone, in milliseconds. */
const orphanMs = 1_000
/** What a dead worker has still said is read for so long, in milliseconds; as a rule it is there at once. */
const lastMessagesMs = 500

/**
 * One worker as the supervisor sees it.
 *
 *   starting --listening--> serving --drain()--> draining --exit--> gone
 *       any state --exit--> gone
 */
export class WorkerHandle {
  readonly instance: number
  readonly generation: number
  state: 'starting' | 'serving' | 'draining' | 'gone' = 'starting'
  /** Where it listens: `127.0.0.1:3000`, the path of a socket. */
  readonly addresses: Set<string> = new Set()
  /** Resolves when the process is gone and all that it had said was heard. */
  readonly exited: Promise<WorkerExit>
  readonly #startedAt: number
  readonly #process: ChildProcess
  readonly #clock: Clock
  readonly #drainMs: number
  readonly #waiting = new Set<() => void>()
  #orphansEnded: Promise<void> | undefined

  constructor({ program, situation, instance, generation, hear, clock = systemClock }: WorkerHandleOptions) {
    this.instance = instance
    this.generation = generation
    this.#clock = clock
    this.#drainMs = situation.drainMs
    this.#startedAt = clock.monotonic()
    this.#process = forkWorker(program, instance, situation)
    this.exited = this.#whenGone()
    this.#process.on('message', (message: unknown, handle: unknown) => {
      if (!isOurs(message)) return
      // Only our own code in the worker marks its messages so, and only a socket's handle comes with one.
      const known = message as ToSupervisor
      const native = handle as NativeHandle | undefined
      // A process that it had started has its end of the channel, or this one was kept from reading: nobody takes it back.
      if (this.state === 'gone') return native?.close()
      if (known.stepladder === 'listening') this.#listensOn(known.address)
      if (known.stepladder === 'closed') this.addresses.delete(known.address)
      if (known.stepladder === 'leaving') this.state = 'draining'
      hear(known, native)
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get livedMs(): number {
    return this.#clock.monotonic() - this.#startedAt
  }

  /** What its threads say when its event loop can not: see `forkWorker`. */
  get lastWords(): Readable | undefined {
    // A process that could not be started has no streams, whatever Node's types say.
    const streams = this.#process.stdio as ChildProcess['stdio'] | undefined
    // The fifth of those that it was started with; a pipe from it to us.
    return (streams?.[4] ?? undefined) as Readable | undefined
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

  /** Says something to the worker, with a copy of the socket; a worker that is gone does not hear it. */
  send(message: ToWorker, handle?: NativeHandle): void {
    if (!this.#process.connected) return
    // Node's types know sockets and servers, and not what stands beneath them.
    this.#process.send(message, handle as never, () => {})
  }

  /** Lets it finish what it began, and ends what it had started; kills it when it does not go. */
  async drain(idleMs?: number): Promise<void> {
    if (this.state === 'gone') return
    this.state = 'draining'
    this.send({ stepladder: 'drain', deadlineMs: this.#drainMs, idleMs })
    const kill = this.#clock.after(this.#drainMs + graceMs, () => this.kill())
    await this.exited
    kill.cancel()
    await this.#orphansEnded
  }

  /** Ends it at once, with all that it had started. */
  kill(): void {
    if (this.pid !== undefined && this.state !== 'gone') signalGroup(this.pid, 'SIGKILL')
  }

  #listensOn(address: string): void {
    this.addresses.add(address)
    if (this.state === 'starting') this.state = 'serving'
    this.#wake()
  }

  async #whenGone(): Promise<WorkerExit> {
    const disconnected = new Promise((resolve) => this.#process.once('disconnect', resolve))
    const exit = await new Promise<WorkerExit>((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }))
      this.#process.on('error', (failure) => {
        // A send to a worker that is just dying fails here as well; then its exit tells the same.
        if (this.pid === undefined) resolve({ code: null, signal: null, failure })
      })
    })
    if (this.#process.connected) await Promise.race([disconnected, sleep(lastMessagesMs)])
    this.state = 'gone'
    this.#orphansEnded = this.#endOrphans()
    this.#wake()
    return exit
  }

  /** Job sandboxes and the like do not outlive their app. */
  async #endOrphans(): Promise<void> {
    if (this.pid === undefined || !signalGroup(this.pid, 'SIGTERM')) return
    const endAt = this.#clock.monotonic() + orphanMs
    while (this.#clock.monotonic() < endAt) {
      await sleep(50, { clock: this.#clock })
      if (!signalGroup(this.pid, 0)) return
    }
    signalGroup(this.pid, 'SIGKILL')
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
