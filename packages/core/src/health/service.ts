import { type Clock, sleep, systemClock } from '../clock.ts'
import type { Closeable } from '../closeable.ts'
import type { Supervisor } from '../cluster/supervisor.ts'
import type { Systemd } from './systemd.ts'

/** How often it is looked whether all workers serve, in milliseconds. */
const lookEveryMs = 50

/** What systemd is told of a cluster, from its start to its end. */
export class Service implements Closeable {
  readonly #systemd: Systemd
  readonly #clock: Clock
  #isStopping = false

  constructor(systemd: Systemd, clock: Clock = systemClock) {
    this.#systemd = systemd
    this.#clock = clock
  }

  /** Ready when all workers serve; where one is late or dies all the time, when `withinMs` are over and any serves. */
  async starts(supervisor: Supervisor, withinMs: number): Promise<void> {
    const lateAt = this.#clock.monotonic() + withinMs
    while (!this.#isStopping) {
      const { workers } = supervisor.health
      const serving = workers.filter(({ state }) => state === 'serving').length
      if (serving === workers.length || (serving > 0 && this.#clock.monotonic() >= lateAt)) {
        return this.#systemd.ready(`${serving} of ${workers.length} workers serve`)
      }
      await sleep(lookEveryMs, { clock: this.#clock })
    }
  }

  /** Ready again at the end, whichever it was: the old build goes on serving. */
  async reloads(ended: Promise<void>): Promise<void> {
    this.#systemd.reloading()
    const status = await ended.then(
      () => 'reloaded',
      (failure: Error) => failure.message,
    )
    if (!this.#isStopping) this.#systemd.ready(status)
  }

  stops(): void {
    this.#isStopping = true
    this.#systemd.stopping('finishing what was begun')
  }

  async close(): Promise<void> {
    this.#isStopping = true
    await this.#systemd.close()
  }
}
