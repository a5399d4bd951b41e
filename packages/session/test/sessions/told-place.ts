import type { Clock } from '@stepladder/core'
import {
  type ChangeFeed,
  type ChangeListener,
  type FollowOptions,
  MemorySessionBackend,
  type SessionBackend,
} from '@stepladder/session'

export interface Delays {
  /** Of a call on its way to the place, or of its answer on the way back. */
  call(): number
  /** Of what the place tells a process. */
  told(): number
}

/**
 * A place for sessions that many processes share, over a network with delays: what it tells a process keeps its order,
 * as on one connection, and is lost while that connection is cut. As in Redis, beats go by way of the place.
 */
export class ToldPlace {
  readonly #records: MemorySessionBackend
  readonly #clock: Clock
  readonly #delays: Delays
  readonly #connections = new Set<Connection>()

  constructor(clock: Clock, delays: Delays) {
    this.#clock = clock
    this.#delays = delays
    this.#records = new MemorySessionBackend({ clock })
  }

  /** The place as one process has it. */
  connect(): { readonly backend: SessionBackend; readonly connection: Connection } {
    const connection = new Connection(this.#clock, this.#delays, (task) => this.#later(task))
    this.#connections.add(connection)
    const records = this.#records
    const write = <T>(id: string, task: () => Promise<T>) =>
      this.#call(() => {
        const written = task()
        for (const each of this.#connections) each.tell((listener) => listener.onChange(id))
        return written
      })
    const backend: SessionBackend = {
      get: (id) => this.#call(() => records.get(id)),
      put: (id, text, ttlMs) => write(id, () => records.put(id, text, ttlMs)),
      putNew: (id, text, ttlMs) => write(id, () => records.putNew(id, text, ttlMs)),
      replace: (id, expected, text, ttlMs) => write(id, () => records.replace(id, expected, text, ttlMs)),
      touch: (id, ttlMs) => write(id, () => records.touch(id, ttlMs)),
      destroy: (id) => write(id, () => records.destroy(id)),
      all: () => records.all(),
      length: () => records.length(),
      clear: () =>
        this.#call(() => {
          for (const each of this.#connections) each.tell((listener) => listener.onGap())
          return records.clear()
        }),
      close: async () => connection.close(),
      follow: (listener, options) => connection.follow(listener, options),
    }
    return { backend, connection }
  }

  async #call<T>(task: () => Promise<T>): Promise<T> {
    const done = await this.#later(task)
    await this.#later(async () => {})
    return done
  }

  #later<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#clock.after(this.#delays.call(), () => void task().then(resolve, reject))
    })
  }
}

/** What one process is told by. */
export class Connection implements ChangeFeed {
  heardUntil: number = Number.NEGATIVE_INFINITY
  readonly #clock: Clock
  readonly #delays: Delays
  readonly #send: (task: () => Promise<void>) => Promise<void>
  #listener: ChangeListener | undefined
  #toldUntil = 0
  /** What was told on an older connection does not arrive. */
  #age = 0
  #isCut = false
  #isClosed = false

  constructor(clock: Clock, delays: Delays, send: (task: () => Promise<void>) => Promise<void>) {
    this.#clock = clock
    this.#delays = delays
    this.#send = send
  }

  follow(listener: ChangeListener, { fenceMs }: FollowOptions): ChangeFeed {
    this.#listener = listener
    this.#beat(fenceMs)
    return this
  }

  tell(message: (listener: ChangeListener) => void): void {
    const listener = this.#listener
    if (!listener || this.#isCut) return
    const age = this.#age
    this.#toldUntil = Math.max(this.#toldUntil, this.#clock.monotonic() + this.#delays.told())
    this.#clock.after(this.#toldUntil - this.#clock.monotonic(), () => {
      if (age === this.#age) message(listener)
    })
  }

  /** Nothing arrives for so long; the process learns of it when it is connected again. */
  cut(ms: number): void {
    this.break()
    this.#clock.after(ms, () => this.mend())
  }

  /** Nothing arrives until it is mended. */
  break(): void {
    this.#isCut = true
    this.#age += 1
  }

  mend(): void {
    this.#isCut = false
    this.#listener?.onGap()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#age += 1
    this.#listener = undefined
    this.heardUntil = Number.NEGATIVE_INFINITY
  }

  #beat(fenceMs: number): void {
    if (this.#isClosed) return
    const sentAt = this.#clock.monotonic()
    void this.#send(async () =>
      this.tell(() => {
        this.heardUntil = Math.max(this.heardUntil, sentAt + fenceMs)
      }),
    )
    this.#clock.after(fenceMs / 4, () => this.#beat(fenceMs))
  }
}
