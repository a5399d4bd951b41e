import { seededRandom } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import { History } from './history.ts'
import { eventually } from './outages.ts'
import { destroy, get, put, putNew, type RecordCall, replace, type State, touch } from './record-call.ts'

export interface RaceOptions {
  /** Who is asked, by one after the other of those who race. */
  readonly backends: readonly SessionBackend[]
  readonly seed: number
  /** What each waits before each of its calls; `share` is below 1. */
  pause(share: number): Promise<void>
  /** After a call that failed, how long to ask what is there until that is answered. Without it, nothing may fail. */
  readonly recoverWithinMs?: number
}

const racers = 6
const callsOfEach = 6

/** Six at once do with one record what the seed chooses. Rejects when the answers make no sense. */
export async function race(id: string, options: RaceOptions): Promise<void> {
  const history = new History()
  const random = seededRandom(options.seed)
  const all = Array.from({ length: racers }, (_, number) => new Racer(id, number, random, history, options))
  await Promise.all(all.map((racer) => racer.run()))
  await all[0]!.look()
  history.check()
}

class Racer {
  readonly #id: string
  readonly #number: number
  readonly #random: () => number
  readonly #history: History
  readonly #options: RaceOptions
  readonly #backend: SessionBackend
  #seen: State
  /** One of its writes failed: it only looks from then on, since orders to be tried double with each call in doubt. */
  #isInDoubt = false

  constructor(id: string, number: number, random: () => number, history: History, options: RaceOptions) {
    this.#id = id
    this.#number = number
    this.#random = random
    this.#history = history
    this.#options = options
    this.#backend = options.backends[number % options.backends.length]!
  }

  async run(): Promise<void> {
    for (let n = 0; n < callsOfEach; n++) {
      await this.#options.pause(this.#random())
      await this.#ask(n)
    }
  }

  /** Asks what is there, until that is answered. */
  async look(): Promise<void> {
    const look = () => this.#history.run(get(this.#id), this.#backend)
    const { recoverWithinMs } = this.#options
    this.#seen = await (recoverWithinMs === undefined ? look() : eventually(recoverWithinMs, look))
  }

  async #ask(n: number): Promise<void> {
    const write = this.#choose(`{"by":${this.#number},"n":${n}}`)
    if (!write || this.#isInDoubt) return this.look()
    try {
      await this.#history.run(write, this.#backend)
    } catch (failure) {
      if (this.#options.recoverWithinMs === undefined) throw failure
      this.#isInDoubt = true
      // Else an outage would use up its calls.
      await this.look()
    }
  }

  /** A write; undefined for a look. Each text is written once, so that it tells whose it is. */
  #choose(text: string): RecordCall | undefined {
    const share = this.#random()
    const id = this.#id
    if (share < 0.3 || (share < 0.65 && this.#seen === undefined)) return undefined
    if (share < 0.65) return replace(id, this.#seen!, text)
    if (share < 0.7) return put(id, text)
    if (share < 0.82) return putNew(id, text)
    return share < 0.9 ? touch(id) : destroy(id)
  }
}
