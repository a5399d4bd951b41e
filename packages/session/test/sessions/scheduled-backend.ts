import { type FakeClock, seededRandom } from '@stepladder/core/testing'
import { MemorySessionBackend } from '@stepladder/session'

type Backend = MemorySessionBackend

/** Lets each request and each answer travel for as long as the seed wants, so that they overtake each other. */
export class ScheduledBackend extends MemorySessionBackend {
  isScheduled = false
  /** How many of the calls fail: refused, or done and their answer lost. */
  faultRate = 0
  readonly #random: () => number
  readonly #clock: FakeClock
  readonly #travelling: (() => void)[] = []

  constructor(clock: FakeClock, seed: number) {
    super({ clock })
    this.#random = seededRandom(seed)
    this.#clock = clock
  }

  override get(...args: Parameters<Backend['get']>): ReturnType<Backend['get']> {
    return this.#travel(() => super.get(...args))
  }

  override put(...args: Parameters<Backend['put']>): ReturnType<Backend['put']> {
    return this.#travel(() => super.put(...args))
  }

  override putNew(...args: Parameters<Backend['putNew']>): ReturnType<Backend['putNew']> {
    return this.#travel(() => super.putNew(...args))
  }

  override replace(...args: Parameters<Backend['replace']>): ReturnType<Backend['replace']> {
    return this.#travel(() => super.replace(...args))
  }

  override touch(...args: Parameters<Backend['touch']>): ReturnType<Backend['touch']> {
    return this.#travel(() => super.touch(...args))
  }

  override destroy(...args: Parameters<Backend['destroy']>): ReturnType<Backend['destroy']> {
    return this.#travel(() => super.destroy(...args))
  }

  /** Runs `task` to its end, letting one after the other arrive, as chosen. Throws when nothing moves any more. */
  async drive(task: Promise<unknown>): Promise<void> {
    let isOver = false
    const over = () => {
      isOver = true
    }
    task.then(over, over)
    for (let idle = 0; !isOver; idle += 1) {
      await new Promise(setImmediate)
      const [next] = this.#travelling.splice(Math.floor(this.#random() * this.#travelling.length), 1)
      if (next) idle = 0
      next?.()
      this.#clock.jump(Math.floor(this.#random() * 3))
      if (idle > 100) throw new Error('A request hangs')
    }
    await task
  }

  async #travel<T>(call: () => Promise<T>): Promise<T> {
    if (!this.isScheduled) return call()
    await this.#hop()
    this.#fail('refused')
    const answer = await call()
    await this.#hop()
    this.#fail('the answer is lost')
    return answer
  }

  #fail(how: string): void {
    if (this.#random() < this.faultRate / 2) throw new Error(how)
  }

  #hop(): Promise<void> {
    return new Promise((resolve) => this.#travelling.push(resolve))
  }
}
