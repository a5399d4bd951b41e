import { sleep, withDeadline } from '@stepladder/core'
import { MemorySessionBackend, type SessionBackend } from '@stepladder/session'
import type { BreakableBackendPlace, MakeSessionBackend } from '@stepladder/session/testing'
import { type Around, aroundCalls } from './sessions/around-calls.ts'

export interface BreakableMemoryOptions {
  /** After so many milliseconds a call fails by itself. Default: it waits as long as the place is away. */
  readonly timeoutMs?: number
  /** Spoils a sound backend. */
  readonly faults?: ((sound: SessionBackend) => Partial<SessionBackend>) | undefined
}

/** Memory behind a network that takes up to ten milliseconds each way and can be broken: a server, in one process. */
export class BreakableMemory {
  readonly #options: BreakableMemoryOptions
  readonly #records = new Map<string, MemorySessionBackend>()
  #isGone = false
  /** How many times connections have ended: a call and its answer must go by the same one. */
  #ends = 0
  #travels = 0
  #thawed = Promise.resolve()
  #thaw = () => {}

  constructor(options: BreakableMemoryOptions = {}) {
    this.#options = options
  }

  readonly place: BreakableBackendPlace = {
    freeze: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#thawed = promise
      this.#thaw = resolve
    },
    thaw: () => this.#thaw(),
    stop: () => {
      this.#ends += 1
      this.#isGone = true
    },
    start: () => {
      this.#isGone = false
    },
    cut: () => {
      this.#ends += 1
    },
  }

  readonly make: MakeSessionBackend = (prefix) => {
    const { timeoutMs, faults } = this.#options
    const carry = this.#carry
    const inTime: Around =
      timeoutMs === undefined ? carry : (name, call) => withDeadline(name, timeoutMs, () => carry(name, call))
    const sound = { ...aroundCalls(this.records(prefix), inTime), endsInTime: timeoutMs !== undefined }
    return { ...sound, ...faults?.(sound) }
  }

  /** Without the network. */
  records(prefix: string): MemorySessionBackend {
    const records = this.#records.get(prefix) ?? new MemorySessionBackend()
    this.#records.set(prefix, records)
    return records
  }

  readonly #carry: Around = async (_name, call) => {
    const ends = this.#ends
    await this.#travel(ends)
    const answer = await call()
    await this.#travel(ends)
    return answer
  }

  async #travel(ends: number): Promise<void> {
    this.#travels += 1
    await sleep(1 + (this.#travels % 10))
    await this.#thawed
    if (this.#isGone || ends !== this.#ends) throw new Error('the connection was lost')
  }
}
