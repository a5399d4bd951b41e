import { seededRandom } from '@stepladder/core/testing'
import { hashTextExtended, jumpHash, rendezvousHash } from '@stepladder/shard'
import { describe, expect, test } from 'vitest'

const names = (count: number) => Array.from({ length: count }, (_, index) => `node-${index}`)
const keys = Array.from({ length: 20_000 }, (_, index) => `user:${index}`)

describe('jumpHash', () => {
  test("gives the numbers of Guava's HashingTest", () => {
    const first = [0, 55, 62, 8, 45, 59, 86, 97, 82, 59, 73, 37, 17, 56, 86, 21, 90, 37, 38, 83]
    expect(first.map((_, key) => jumpHash(BigInt(key), 100))).toEqual(first)
    expect(jumpHash(10863919174838991n, 11)).toBe(6)
    expect(jumpHash(2016238256797177309n, 11)).toBe(3)
    expect(jumpHash(1673758223894951030n, 11)).toBe(5)
    expect(jumpHash(2n, 100_001)).toBe(80_343)
    expect(jumpHash(2201n, 100_001)).toBe(22_152)
    expect(jumpHash(2202n, 100_001)).toBe(15_018)
  })

  test.each([
    [1n, [0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 17, 17]],
    [0xdeadbeefn, [0, 1, 2, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 16, 16, 16]],
    [0x0ddc0ffeebadf00dn, [0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 15, 15, 15, 15]],
  ])('gives the numbers of the reference in C++ for %d and 1 to 19 places', (key, places) => {
    expect(places.map((_, index) => jumpHash(key, index + 1))).toEqual(places)
  })

  test('agrees with the paper in 64-bit arithmetic on 5000 random hashes', () => {
    const random = seededRandom(1)
    for (let round = 0; round < 5_000; round++) {
      const key = (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32))
      const count = 1 + Math.floor(random() * 5_000)
      expect(jumpHash(key, count)).toBe(jumpAsPublished(key, count))
    }
  })

  test('refuses a number of places that is none', () => {
    for (const count of [0, -1, 1.5, Number.NaN]) {
      expect(() => jumpHash(1n, count)).toThrow(`option "count" must be a whole number`)
    }
  })
})

/** The six lines of the paper, on bigints. */
function jumpAsPublished(key: bigint, count: number): number {
  let state = key
  let place = -1
  for (let next = 0; next < count; ) {
    place = next
    state = BigInt.asUintN(64, state * 2862933555777941757n + 1n)
    next = Math.floor((place + 1) * (2 ** 31 / (Number(state >> 33n) + 1)))
  }
  return place
}

describe('rendezvousHash', () => {
  test('gives the numbers that it has always given', () => {
    const chosen = ['ada', 'Zoë', '', 'user:42', '漢字'].map((key) => rendezvousHash(key, names(8)))
    expect(chosen).toEqual(['node-5', 'node-3', 'node-0', 'node-4', 'node-4'])
  })

  test('does not depend on the order of the nodes', () => {
    for (const key of keys.slice(0, 2_000)) {
      expect(rendezvousHash(key, names(9).toReversed())).toBe(rendezvousHash(key, names(9)))
    }
  })

  test('moves the keys of a node that is taken away, and no other', () => {
    const left = names(9).filter((name) => name !== 'node-4')
    for (const key of keys) {
      const before = rendezvousHash(key, names(9))
      const after = rendezvousHash(key, left)
      if (before === 'node-4') expect(left).toContain(after)
      else expect(after).toBe(before)
    }
  })

  test('refuses to choose from nothing', () => {
    expect(() => rendezvousHash('ada', [])).toThrow('option "nodes" must be a list of names')
  })
})

describe.each([
  ['jumpHash', (key: string, count: number) => `${jumpHash(hashTextExtended(key), count)}`],
  ['rendezvousHash', (key: string, count: number) => rendezvousHash(key, names(count))],
])('%s', (_, choose) => {
  test('spreads 20000 keys over 8 nodes within 5 % of the mean', () => {
    const counts = new Map<string, number>()
    for (const key of keys) counts.set(choose(key, 8), (counts.get(choose(key, 8)) ?? 0) + 1)
    expect(counts.size).toBe(8)
    expect(Math.max(...counts.values()) / (keys.length / 8)).toBeLessThan(1.05)
  })

  test('moves about a ninth of the keys from 8 to 9 nodes', () => {
    expect(
      shareMoved(
        (key) => choose(key, 8),
        (key) => choose(key, 9),
      ),
    ).toBeCloseTo(1 / 9, 1.7)
  })
})

test('control: the remainder of a hash moves nearly nine keys in ten from 8 to 9 nodes', () => {
  const remainder = (count: number) => (key: string) =>
    BigInt.asUintN(64, hashTextExtended(key)) % BigInt(count)
  expect(shareMoved(remainder(8), remainder(9))).toBeGreaterThan(0.87)
})

function shareMoved(before: (key: string) => unknown, after: (key: string) => unknown): number {
  return keys.filter((key) => before(key) !== after(key)).length / keys.length
}
