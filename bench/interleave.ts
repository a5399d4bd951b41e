/** One way of doing the work; returns its measurement of one round. */
export type Arm = () => Promise<number>

export interface Measured<Name extends string> {
  /** The median of each arm over the rounds. */
  readonly arms: Record<Name, number>
  /** The median over the rounds of what `ratio` makes of a round, and how far it strayed. */
  readonly ratio: number
  readonly spread: number
}

/**
 * Runs all arms in each round, in an order that turns with the round, and compares within the round: what
 * else happens on the machine then hits all arms alike. The first round only warms up.
 */
export async function interleave<Name extends string>(
  arms: Record<Name, Arm>,
  rounds: number,
  ratio: (round: Record<Name, number>) => number,
): Promise<Measured<Name>> {
  // The names of the arms are all the keys there are.
  const names = Object.keys(arms) as Name[]
  const measured: Record<Name, number>[] = []
  for (let round = 0; round <= rounds; round++) {
    // Filled for every name below.
    const values = {} as Record<Name, number>
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length]!
      values[name] = await arms[name]()
    }
    if (round > 0) measured.push(values)
  }
  const ratios = measured.map(ratio)
  const middle = median(ratios)
  const medians = names.map((name) => [name, median(measured.map((values) => values[name]))])
  return {
    // One entry for each name, from the line above.
    arms: Object.fromEntries(medians) as Record<Name, number>,
    ratio: middle,
    spread: median(ratios.map((value) => Math.abs(value - middle))) / middle,
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
