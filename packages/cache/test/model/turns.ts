interface Turn {
  readonly of: string
  readonly take: () => void
}

/**
 * Everything that could happen next, and chance to choose among it. Whatever goes over the network, or waits for a
 * loader, waits here before and after; so a seed plays the same order again, and every order has its seed.
 */
export class Turns {
  readonly #random: () => number
  /** How eager each is at the moment: a bus may be very slow, or a database. */
  readonly #eagerness = new Map<string, number>()
  readonly #held = new Set<string>()
  #waiting: Turn[] = []

  constructor(random: () => number) {
    this.#random = random
  }

  /** Resolves when it is the turn of this. `of` names whom it belongs to, for `hold`. */
  wait(of: string): Promise<void> {
    return new Promise((take) => this.#waiting.push({ of, take }))
  }

  /** From now on nothing of his happens: he hangs. */
  hold(of: string): void {
    this.#held.add(of)
  }

  /** Ends `hold`. */
  free(of: string): void {
    this.#held.delete(of)
  }

  /** Gives one of those that wait its turn, and lets all settle that follows from it. False if nobody waits. */
  async next(): Promise<boolean> {
    const turn = this.#choose(this.#waiting.filter(({ of }) => !this.#held.has(of)))
    if (!turn) return false
    this.#waiting.splice(this.#waiting.indexOf(turn), 1)
    turn.take()
    await settle()
    return true
  }

  #choose(able: readonly Turn[]): Turn | undefined {
    const weights = able.map(({ of }) => this.#eagernessOf(of))
    let left = this.#random() * weights.reduce((sum, weight) => sum + weight, 0)
    return able.find((_, index) => {
      left -= weights[index]!
      return left < 0
    })
  }

  #eagernessOf(of: string): number {
    const known = this.#eagerness.get(of)
    // Now and then it changes: whoever was slow all the time may be the fastest after that.
    if (known !== undefined && this.#random() > 0.01) return known
    const eagerness = 10 ** (-3 * this.#random())
    this.#eagerness.set(of, eagerness)
    return eagerness
  }
}

/** Lets every promise settle that can without another turn. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
