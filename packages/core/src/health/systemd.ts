import { execFile } from 'node:child_process'
import { type Clock, systemClock, type Timer } from '../clock.ts'
import type { Closeable } from '../closeable.ts'

/** What systemd says to a service in its environment. */
export interface SystemdSettings {
  /** NOTIFY_SOCKET. */
  readonly socket: string
  /** How often systemd wants to hear a sign of life, in milliseconds; undefined: it does not. */
  readonly watchdogMs?: number | undefined
}

export interface SystemdOptions extends SystemdSettings {
  readonly log: (line: string) => void
  readonly clock?: Clock | undefined
  /** Default: the program `systemd-notify`, which is there wherever systemd is. */
  readonly program?: string | undefined
}

/** A message that is not delivered by then is given up, in milliseconds. */
const boundMs = 2_000

/** systemd's variables in `environment`, taken away: what this process starts does not speak for the service. */
export function takeSystemdSettings(environment: NodeJS.ProcessEnv): SystemdSettings | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUsec, WATCHDOG_PID: watchdogPid } = environment
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name]
  if (!socket) return undefined
  const isOurs = watchdogPid === undefined || Number(watchdogPid) === process.pid
  const watchdogMs = isOurs && Number(watchdogUsec) > 0 ? Number(watchdogUsec) / 1_000 : undefined
  return { socket, watchdogMs }
}

/**
 * Tells systemd how the service does. Node has no datagram sockets of the Unix kind, so that a small program of
 * systemd's sends each message; one after the other, since READY=1 must not overtake RELOADING=1. What
 * cannot be told is said once on the log, and is no trouble for the cluster.
 */
export class Systemd implements Closeable {
  readonly #options: SystemdOptions
  readonly #clock: Clock
  #last: Promise<void> = Promise.resolve()
  #isWatched = false
  #hasFailed = false
  #watchdog: Timer | undefined

  constructor(options: SystemdOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#watch()
  }

  ready(status: string): void {
    this.#tell('READY=1', `STATUS=${status}`)
  }

  reloading(): void {
    // systemd compares it with its own clock, CLOCK_MONOTONIC, to tell this reload from an earlier one.
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`, 'STATUS=reloading')
  }

  stopping(status: string): void {
    this.#tell('STOPPING=1', `STATUS=${status}`)
  }

  status(status: string): void {
    this.#tell(`STATUS=${status}`)
  }

  /** Ends the signs of life; resolves when all has been told. */
  async close(): Promise<void> {
    this.#watchdog?.cancel()
    await this.#last
  }

  /** Twice as often as systemd wants it, from the event loop that does the supervisor's work. */
  #watch(): void {
    const { watchdogMs } = this.#options
    if (watchdogMs === undefined) return
    // One that is still under way is enough: what hangs must not pile up.
    if (!this.#isWatched) {
      this.#isWatched = true
      void this.#tell('WATCHDOG=1').then(() => {
        this.#isWatched = false
      })
    }
    this.#watchdog = this.#clock.after(watchdogMs / 2, () => this.#watch()).unref()
  }

  #tell(...assignments: string[]): Promise<void> {
    const lines = assignments.map((assignment) => assignment.replaceAll(/\s+/g, ' '))
    this.#last = this.#last.then(() => this.#send(lines))
    return this.#last
  }

  #send(assignments: readonly string[]): Promise<void> {
    const { program = 'systemd-notify', socket, log } = this.#options
    // Assignments as they are: its options differ between versions of systemd, these do not.
    return new Promise((resolve) => {
      const env = { ...process.env, NOTIFY_SOCKET: socket }
      execFile(program, [...assignments], { env, timeout: boundMs, killSignal: 'SIGKILL' }, (failure) => {
        if (failure && !this.#hasFailed) log(`systemd cannot be told (${failure.message.trim()})`)
        if (failure) this.#hasFailed = true
        resolve()
      })
    })
  }
}
