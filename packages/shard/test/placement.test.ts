import { seededRandom } from '@stepladder/core/testing'
import { type Placement, placeBuckets, planMoves } from '@stepladder/shard'
import { describe, expect, test } from 'vitest'

type Weights = Record<string, number>

const equal = (count: number): Weights =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`shard-${index}`, 1]))

describe('placeBuckets', () => {
  test('says which buckets each shard owns, as data that survives JSON', () => {
    const placement = placeBuckets({ shards: { us: 1, eu: 2 }, buckets: 16 })

    expect(placement).toEqual({ version: 1, buckets: 16, shards: { eu: '0-10', us: '11-15' } })
    expect(planMoves(placement, JSON.parse(JSON.stringify(placement)))).toEqual([])
  })

  test('gives the same placement in whatever order the shards are listed', () => {
    const reversed = Object.fromEntries(Object.entries(equal(7)).toReversed())
    expect(placeBuckets({ shards: reversed })).toEqual(placeBuckets({ shards: equal(7) }))
  })

  test('moves 11.2 % at most from 8 to 9 shards, all of it to the new one', () => {
    const before = placeBuckets({ shards: equal(8) })
    const moves = planMoves(before, placeBuckets({ shards: equal(9), previous: before }))

    expect(moves.length / 4096).toBeLessThanOrEqual(0.112)
    expect(new Set(moves.map(({ to }) => to))).toEqual(new Set(['shard-8']))
  })

  test('control: bucket modulo the number of shards moves 88 %', () => {
    const moved = Array.from({ length: 4096 }, (_, bucket) => bucket).filter((b) => b % 8 !== b % 9)
    expect(moved.length / 4096).toBeGreaterThan(0.88)
  })

  test('control: without the previous placement most buckets move as well', () => {
    const before = placeBuckets({ shards: equal(8) })
    const moves = planMoves(before, placeBuckets({ shards: equal(9) }))
    expect(moves.length / 4096).toBeGreaterThan(0.4)
  })

  test('a shard of weight 0 is emptied, and one that is not listed any more as well', () => {
    const before = placeBuckets({ shards: equal(4) })
    const emptied = placeBuckets({ shards: { ...equal(4), 'shard-1': 0 }, previous: before })
    const gone = placeBuckets({ shards: { 'shard-0': 1, 'shard-2': 1, 'shard-3': 1 }, previous: before })

    expect(emptied.shards['shard-1']).toBe('')
    expect(gone.shards).not.toHaveProperty('shard-1')
    for (const after of [emptied, gone]) {
      const moves = planMoves(before, after)
      expect(moves).toHaveLength(1024)
      expect(new Set(moves.map(({ from }) => from))).toEqual(new Set(['shard-1']))
    }
  })

  test('over 300 random changes of shards and weights, shares are exact to one bucket and no move is needless', () => {
    const random = seededRandom(7)
    let previous: Placement | undefined
    for (let round = 0; round < 300; round++) {
      const shards = randomWeights(random, 12)
      const next: Placement = placeBuckets({ shards, buckets: 1024, previous })
      expectFairShares(next, shards)
      if (previous) expectNoNeedlessMove(previous, next)
      expect(planMoves(next, placeBuckets({ shards, previous: next }))).toEqual([])
      previous = next
    }
  })

  test('weights in decimal fractions leave an even share even', () => {
    const { shards } = placeBuckets({ shards: { a: 0.1, b: 0.2, c: 0.1 }, buckets: 16 })
    expect(shards).toEqual({ a: '0-3', b: '4-11', c: '12-15' })
  })

  test('no fair placement would move less: compared with every one there is, 200 times', () => {
    const random = seededRandom(11)
    for (let round = 0; round < 200; round++) {
      const previous = placeBuckets({ shards: randomWeights(random, 4), buckets: 16 })
      const shards = randomWeights(random, 4)
      const moved = planMoves(previous, placeBuckets({ shards, previous })).length
      expect(moved).toBe(fewestMoves(countOwned(previous), shards, 16))
    }
  })

  test.each([
    [{ shards: {} }, '1 to 4096 shards'],
    [{ shards: { eu: 0 } }, 'one with a weight above 0'],
    [{ shards: { eu: -1 } }, 'option "shards.eu" must be a weight'],
    [{ shards: { eu: Number.NaN } }, 'option "shards.eu" must be a weight'],
    [{ shards: equal(9), buckets: 8 }, '1 to 8 shards'],
    [{ shards: { eu: 1 }, buckets: 1000 }, 'a power of two up to 16384'],
    [{ shards: { eu: 1 }, buckets: 32_768 }, 'a power of two up to 16384'],
    [{ shards: { eu: 1 }, buckets: 8, previous: placeBuckets({ shards: { eu: 1 } }) }, 'cannot change'],
  ])('refuses what cannot be placed (%#)', (options, problem) => {
    expect(() => placeBuckets(options)).toThrow(problem)
  })
})

describe('planMoves', () => {
  test('names each bucket that changes hands', () => {
    const from: Placement = { version: 1, buckets: 8, shards: { eu: '0-3', us: '4-7' } }
    const to: Placement = { version: 1, buckets: 8, shards: { ap: '2,7', eu: '0-1,3', us: '4-6' } }
    expect(planMoves(from, to)).toEqual([
      { bucket: 2, from: 'eu', to: 'ap' },
      { bucket: 7, from: 'us', to: 'ap' },
    ])
  })

  test.each([
    [{ eu: '0-3', us: '5-7' }, '1 of 8 buckets belong to nobody'],
    [{ eu: '0-4', us: '4-7' }, 'bucket 4 belongs to "eu" and to "us"'],
    [{ eu: '0-8' }, '"eu" owns 8, beyond 8 buckets'],
    [{ eu: '7-0' }, '"eu" owns "7-0", which is no range'],
    [{ eu: '0 - 7' }, 'which is no range'],
  ])('refuses a damaged placement %j', (shards: Record<string, string>, problem) => {
    const whole = placeBuckets({ shards: { eu: 1 }, buckets: 8 })
    expect(() => planMoves(whole, { version: 1, buckets: 8, shards })).toThrow(problem)
  })

  test('refuses placements of different bucket counts, and of a version it does not know', () => {
    const eight = placeBuckets({ shards: { eu: 1 }, buckets: 8 })
    expect(() => planMoves(eight, placeBuckets({ shards: { eu: 1 }, buckets: 16 }))).toThrow('8 buckets')
    // Written by a later version of this package.
    const later = { ...eight, version: 2 } as unknown as Placement
    expect(() => planMoves(eight, later)).toThrow('version 2 is not known')
  })
})

function randomWeights(random: () => number, most: number): Weights {
  const weights: Weights = { always: 1 }
  for (let index = 0; index < most - 1; index++) {
    if (random() < 0.6) weights[`shard-${index}`] = random() < 0.1 ? 0 : Math.ceil(random() * 100) / 10
  }
  return weights
}

function expectFairShares(placement: Placement, weights: Weights): void {
  const owned = countOwned(placement)
  for (const [name, { low, high }] of shareBounds(weights, placement.buckets)) {
    expect(owned.get(name)).toBeGreaterThanOrEqual(low)
    expect(owned.get(name)).toBeLessThanOrEqual(high)
  }
}

/** Whoever gives a bucket away takes none. */
function expectNoNeedlessMove(from: Placement, to: Placement): void {
  const moves = planMoves(from, to)
  const givers = new Set(moves.map((move) => move.from))
  expect(moves.filter((move) => givers.has(move.to))).toEqual([])
}

/** Tries every way to round the shares up or down that adds up. */
function fewestMoves(owned: Map<string, number>, weights: Weights, buckets: number): number {
  const bounds = [...shareBounds(weights, buckets)]
  const search = (index: number, left: number): number => {
    const bound = bounds[index]
    if (!bound) return left === 0 ? 0 : Number.POSITIVE_INFINITY
    const [name, { low, high }] = bound
    const gains = [low, high].map((target) => Math.max(0, target - (owned.get(name) ?? 0)))
    return Math.min(gains[0]! + search(index + 1, left - low), gains[1]! + search(index + 1, left - high))
  }
  return search(0, buckets)
}

function shareBounds(weights: Weights, buckets: number): Map<string, { low: number; high: number }> {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  return new Map(
    Object.entries(weights).map(([name, weight]) => {
      const share = (buckets * weight) / total
      // Sums of decimal fractions are off by a hair.
      return [name, { low: Math.floor(share + 1e-9), high: Math.ceil(share - 1e-9) }]
    }),
  )
}

function countOwned({ shards }: Placement): Map<string, number> {
  const sizeOf = (range: string) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return last - first + 1
  }
  return new Map(
    Object.entries(shards).map(([name, ranges]) => [
      name,
      ranges === '' ? 0 : ranges.split(',').reduce((sum, range) => sum + sizeOf(range), 0),
    ]),
  )
}
