import { InvalidOptionError } from '@stepladder/core'
import { InvalidPlacementError } from './errors.ts'
import { isBucketCount, maxBuckets, ownersOf, type Placement, placementOf } from './placement.ts'

export interface PlaceBucketsOptions {
  /** How many buckets: a power of two up to 16384. Default: as many as `previous` has, else 4096. */
  readonly buckets?: number | undefined
  /** The shards and how much each is to own, relative to the others; 0 for one that is to be emptied. */
  readonly shards: Readonly<Record<string, number>>
  /** The placement in use now. Without it the buckets are dealt out anew. */
  readonly previous?: Placement | undefined
}

/**
 * Gives each shard its share of the buckets, exact to one bucket, and moves the least that this takes.
 * The same input gives the same placement in every process, in whatever order the shards are listed.
 * A shard that only `previous` knows gives all its buckets away.
 */
export function placeBuckets({ shards, previous, ...rest }: PlaceBucketsOptions): Placement {
  const { buckets = previous?.buckets ?? 4096 } = rest
  checkBuckets(buckets, previous)
  const weights = checkedWeights(shards, buckets)
  const names = [...weights.keys()]

  const owners: (string | undefined)[] = previous ? ownersOf(previous) : Array.from({ length: buckets })
  const targets = targetsOf(buckets, weights, countByOwner(owners))
  release(owners, targets)
  return placementOf(handOut(owners, targets), names)
}

function checkBuckets(buckets: number, previous: Placement | undefined): void {
  if (!isBucketCount(buckets)) {
    throw new InvalidOptionError('placeBuckets', 'buckets', buckets, `a power of two up to ${maxBuckets}`)
  }
  if (previous && previous.buckets !== buckets) {
    throw new InvalidPlacementError(
      `it has ${previous.buckets} buckets and not ${buckets}; their number cannot change, since a row's bucket would`,
    )
  }
}

/** The weights, in the order of the names. */
function checkedWeights(shards: Readonly<Record<string, number>>, buckets: number): Map<string, number> {
  const weights = new Map(Object.entries(shards).sort(([a], [b]) => (a < b ? -1 : 1)))
  for (const [name, weight] of weights) {
    if (!(weight >= 0 && weight <= 1_000_000)) {
      throw new InvalidOptionError('placeBuckets', `shards.${name}`, weight, 'a weight from 0 to 1000000')
    }
  }
  if (sum(weights.values()) === 0 || weights.size > buckets) {
    throw new InvalidOptionError(
      'placeBuckets',
      'shards',
      shards,
      `1 to ${buckets} shards, one with a weight above 0`,
    )
  }
  return weights
}

function countByOwner(owners: readonly (string | undefined)[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const owner of owners) if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return counts
}

/** How many buckets each shard is to own: its share, rounded down or up. */
function targetsOf(
  buckets: number,
  weights: ReadonlyMap<string, number>,
  owned: ReadonlyMap<string, number>,
): Map<string, number> {
  const total = sum(weights.values())
  const shares = [...weights].map(([name, weight]) => {
    const exact = withoutNoise((buckets * weight) / total)
    const target = Math.floor(exact)
    return { name, target, remainder: exact - target, keepsOne: (owned.get(name) ?? 0) > target }
  })
  // What rounding down leaves over goes first to those who would otherwise have to give a bucket away.
  const leftOver = buckets - sum(shares.map(({ target }) => target))
  const roundedUp = shares
    .filter(({ remainder }) => remainder > 0)
    .sort((a, b) => Number(b.keepsOne) - Number(a.keepsOne) || b.remainder - a.remainder)
    .slice(0, leftOver)
  for (const share of roundedUp) share.target++
  return new Map(shares.map(({ name, target }) => [name, target]))
}

/** Weights such as 0.1 add up to a hair more or less than they should; an even share stays even. */
function withoutNoise(share: number): number {
  const even = Math.round(share)
  return Math.abs(share - even) < 1e-6 ? even : share
}

/** Takes from each shard what it owns above its target, the highest buckets first; leaves the rest of `targets` to fill. */
function release(owners: (string | undefined)[], targets: Map<string, number>): void {
  for (const [bucket, owner] of owners.entries()) {
    const room = owner === undefined ? 0 : (targets.get(owner) ?? 0)
    if (room === 0) owners[bucket] = undefined
    else targets.set(owner!, room - 1)
  }
}

/** Deals the free buckets to the shards that still have room. */
function handOut(owners: readonly (string | undefined)[], room: ReadonlyMap<string, number>): string[] {
  const takers = [...room].flatMap(([name, count]) => new Array<string>(count).fill(name))
  let next = 0
  return owners.map((owner) => owner ?? takers[next++]!)
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}
