import type { Bus, BusListener, Invalidation } from '@stepladder/cache'

/** A bus between caches of one process, which stand for processes: a message is heard before `publish` resolves. */
export class LinkedBus implements Bus {
  heardUntil: number = Number.POSITIVE_INFINITY
  /** What was published and is on its way, while `isSlow`. */
  isSlow = false
  readonly #held: Invalidation[] = []
  readonly #all: LinkedBus[]
  #listener: BusListener | undefined

  /** As many ends of one bus as there are caches. */
  static ends(count: number): LinkedBus[] {
    const all: LinkedBus[] = []
    for (let index = 0; index < count; index++) all.push(new LinkedBus(all))
    return all
  }

  private constructor(all: LinkedBus[]) {
    this.#all = all
  }

  async publish(invalidation: Invalidation): Promise<void> {
    for (const end of this.#all) if (end !== this) end.#receive(invalidation)
  }

  subscribe(listener: BusListener): void {
    this.#listener = listener
  }

  /** Hears what was held back. */
  catchUp(): void {
    this.isSlow = false
    for (const invalidation of this.#held.splice(0)) this.#receive(invalidation)
  }

  gap(): void {
    this.#listener?.onGap()
  }

  async close(): Promise<void> {}

  #receive(invalidation: Invalidation): void {
    if (this.isSlow) this.#held.push(invalidation)
    else this.#listener?.onInvalidation(invalidation)
  }
}
