import { seededRandom } from '@stepladder/core'

/** When each of some requests goes on. */
export interface Moments {
  /** Waits until all are here, and then for its own turn. */
  wait(place: number): Promise<void>
}

/**
 * Lets requests go on in an order that the seed chooses, each some turns of the event loop after the one before: from
 * side by side to one after the other. Nothing waits for a time, so a busy machine plays the same races.
 */
export function moments(seed: number, count: number): Moments {
  const random = seededRandom(seed)
  const order = Array.from({ length: count }, () => random())
  const turns = order.map((mine) => order.filter((other) => other < mine).length * Math.floor(random() * 8))
  const everybodyIsIn = Promise.withResolvers<void>()
  let inside = 0
  return {
    async wait(place) {
      inside += 1
      if (inside === count) everybodyIsIn.resolve()
      await everybodyIsIn.promise
      for (let turn = turns[place] ?? 0; turn > 0; turn--) await new Promise(setImmediate)
    },
  }
}
