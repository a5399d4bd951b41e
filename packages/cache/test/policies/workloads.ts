import { seededRandom } from '@stepladder/core/testing'

/** Keys as they are asked for, the same for the same seed. */
export type Workload = (requests: number, seed: number) => string[]

/** Keys that a workload has; a memory with room for 1,000 holds one in a hundred. */
const population = 100_000

/** The key of rank n is asked for in proportion to 1/n, now and for ever. */
export const zipf: Workload = (requests, seed) => {
  const nextRank = zipfRanks(seededRandom(seed))
  return Array.from({ length: requests }, () => keys[nextRank()]!)
}

/** As `zipf`, and every 60,000 requests all ranks are dealt anew: yesterday's news is nobody's today. */
export const drift: Workload = (requests, seed) => {
  const random = seededRandom(seed)
  const nextRank = zipfRanks(random)
  let dealt = keys
  return Array.from({ length: requests }, (_, at) => {
    if (at % 60_000 === 0) dealt = shuffled(keys, random)
    return dealt[nextRank()]!
  })
}

/** As `zipf`, and every 50,000 requests a report reads 5,000 keys that nobody asks for again. */
export const scans: Workload = (requests, seed) => {
  const nextRank = zipfRanks(seededRandom(seed))
  return Array.from({ length: requests }, (_, at) =>
    at >= 50_000 && at % 50_000 < 5_000 ? `report:${at}` : keys[nextRank()]!,
  )
}

/** Each key is asked for six times, while 300 keys are; then never again: what suits LRU best. */
export const visits: Workload = (requests, seed) => {
  const random = seededRandom(seed)
  const present: { key: string; left: number }[] = []
  let visitors = 0
  return Array.from({ length: requests }, () => {
    if (present.length < 300 || random() < 1 / 6) present.push({ key: `visitor:${visitors++}`, left: 6 })
    const at = Math.floor(random() * present.length)
    const visitor = present[at]!
    visitor.left -= 1
    if (visitor.left === 0) present.splice(at, 1)
    return visitor.key
  })
}

const keys: readonly string[] = Array.from({ length: population }, (_, index) => `flight:${index}`)

/** Ranks by the inverse of their distribution. */
function zipfRanks(random: () => number): () => number {
  const upTo = new Float64Array(population)
  let total = 0
  for (let rank = 0; rank < population; rank++) {
    total += 1 / (rank + 1)
    upTo[rank] = total
  }
  return () => {
    const wanted = random() * total
    let [low, high] = [0, population - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (upTo[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

function shuffled(cards: readonly string[], random: () => number): string[] {
  const dealt = [...cards]
  for (let last = dealt.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const card = dealt[last]!
    dealt[last] = dealt[other]!
    dealt[other] = card
  }
  return dealt
}
