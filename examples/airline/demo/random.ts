/** A number in [0, 1), the next of a row that its seed decides: the same load at every rung. */
export type Random = () => number

/** One of the items, each as likely as any other. */
export function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)]!
}

/** Draws by weight: `draw(random)` gives an item as often as its weight says. */
export function weighted<T>(items: readonly { readonly item: T; readonly weight: number }[]) {
  let sum = 0
  const ends = items.map(({ weight }) => (sum += weight))
  return (random: Random): T => {
    const at = random() * sum
    const index = ends.findIndex((end) => at < end)
    return items[Math.max(0, index)]!.item
  }
}

/** Zipf's law: the second is asked for half as often as the first, the third a third as often, and so on. */
export function zipf<T>(items: readonly T[]): (random: Random) => T {
  return weighted(items.map((item, rank) => ({ item, weight: 1 / (rank + 1) })))
}
