import type { Figure } from './figure.ts'
import { median } from './interleave.ts'

interface Named {
  readonly name: string
}

/** What each arm showed, one value a round, by the arm's name; ours comes first. */
export type Turns<T> = ReadonlyMap<string, readonly T[]>

/** Lets all arms do it in each round, in an order that turns with the round; rounds are counted from 1. */
export async function inTurns<Arm extends Named, T>(
  arms: readonly Arm[],
  rounds: number,
  run: (arm: Arm, round: number) => Promise<T>,
): Promise<Turns<T>> {
  const shown = new Map(arms.map(({ name }) => [name, [] as T[]]))
  for (let round = 1; round <= rounds; round++) {
    for (let turn = 0; turn < arms.length; turn++) {
      const arm = arms[(turn + round) % arms.length]!
      shown.get(arm.name)!.push(await run(arm, round))
    }
  }
  return shown
}

/** The rounds of several runs of the same arms as those of one. */
export function joinTurns<T>(runs: readonly Turns<T>[]): Turns<T> {
  const names = [...runs[0]!.keys()]
  return new Map(names.map((name) => [name, runs.flatMap((run) => run.get(name)!)]))
}

type Told = Pick<Figure, 'id' | 'what' | 'aim' | 'unit'>

/** A figure of what is counted over all rounds, null for never: the value is what the first arm comes to. */
export function countFigure<T>(
  told: Told,
  turns: Turns<T>,
  count: (rounds: readonly T[]) => number | null,
): Figure {
  const counted = [...turns].map(([name, rounds]): [string, number | null] => [name, count(rounds)])
  const arms = Object.fromEntries(counted)
  return { ...told, value: counted[0]![1], arms, armsUnit: told.unit, spread: 0 }
}

type RatioTold = Omit<Told, 'unit'> & Pick<Figure, 'armsUnit'>

/** A figure of the first arm over the arm `against`, compared round by round; arms are told by their medians. */
export function ratioFigure(told: RatioTold, turns: Turns<number>, against: string): Figure {
  const [ours] = turns.values()
  const theirs = turns.get(against)!
  const ratios = ours!.map((value, round) => value / theirs[round]!)
  const value = median(ratios)
  const medians = [...turns].map(([name, rounds]): [string, number] => [name, median(rounds)])
  const spread = median(ratios.map((ratio) => Math.abs(ratio - value))) / value
  return { ...told, value, unit: 'x', arms: Object.fromEntries(medians), spread }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
