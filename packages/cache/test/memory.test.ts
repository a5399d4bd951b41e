import { seededRandom, seeds } from '@stepladder/core/testing'
import { LRUCache } from 'lru-cache'
import { describe, expect, test } from 'vitest'
import { Entries } from '../src/memory/entries.ts'
import { findBreach } from './policies/breach.ts'

interface Sized {
  readonly size: number
}

const one: Sized = { size: 1 }

function keysOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`)
}

type AnyMemory = Pick<Entries<Sized>, 'get' | 'set'>

function setAll(memory: AnyMemory, keys: readonly string[]): void {
  for (const key of keys) memory.set(key, one)
}

function kept(memory: AnyMemory, keys: readonly string[]): string[] {
  return keys.filter((key) => memory.get(key) !== undefined)
}

describe('whatever is done to it', () => {
  const bounds = { maxEntries: 20, maxBytes: 2_000 }
  const { maxEntries, maxBytes } = bounds

  test('memory keeps its bounds, gives what was set last, and loses nothing while there is room', () => {
    for (const seed of seeds(200)) {
      const memory = new Entries<Sized>(maxEntries, maxBytes)
      expect(findBreach(memory, bounds, seededRandom(seed)), `seed ${seed}`).toBeUndefined()
    }
  })

  const broken = {
    'forgets to delete': class extends Entries<Sized> {
      override delete(): void {}
    },
    'forgets to clear': class extends Entries<Sized> {
      override clear(): void {}
    },
    'keeps what a value too large for it replaces': class extends Entries<Sized> {
      override set(key: string, entry: Sized): void {
        if (entry.size + key.length <= maxBytes) super.set(key, entry)
      }
    },
    'gives what was set first': class extends Entries<Sized> {
      override set(key: string, entry: Sized): void {
        if (this.get(key) === undefined || entry.size > maxBytes - key.length) super.set(key, entry)
      }
    },
    'has a hole': class extends Entries<Sized> {
      override set(key: string, entry: Sized): void {
        super.set(key, entry)
        if (entry.size % 5 === 0) this.delete('key 1')
      }
    },
    'has more room than it should': class extends Entries<Sized> {
      constructor() {
        super(maxEntries + 1, maxBytes + 1)
      }
    },
    'has less room than it should': class extends Entries<Sized> {
      constructor() {
        super(maxEntries - 1, maxBytes - 1)
      }
    },
    'counts wrong': class extends Entries<Sized> {
      override get bytes(): number {
        return Math.floor(super.bytes / 10)
      }
    },
  }

  test.each(Object.entries(broken))('a memory that %s is found out', (_, Broken) => {
    const breaches = seeds(50).map((seed) =>
      findBreach(new Broken(maxEntries, maxBytes), bounds, seededRandom(seed)),
    )
    expect(breaches.some((breach) => breach !== undefined)).toBe(true)
  })
})

test('keys that are asked for once push out none of those that are asked for again', () => {
  const popular = keysOf('popular', 50)
  const survivors = (memory: AnyMemory) => {
    setAll(memory, popular)
    for (let report = 1; report <= 5; report++) {
      kept(memory, popular)
      setAll(memory, keysOf(`report ${report}, row`, 1_000))
    }
    return kept(memory, popular).length
  }
  expect(survivors(new Entries<Sized>(100, 1_000_000))).toBe(50)
  expect(survivors(new LRUCache<string, Sized>({ max: 100 }))).toBe(0)
})

test('a key that is asked for again soon after it went stays, as one that is new does not', () => {
  const memory = new Entries<Sized>(100, 1_000_000)
  setAll(memory, keysOf('early', 150))
  expect(memory.get('early 49')).toBeUndefined()

  setAll(memory, ['early 49', 'new'])
  setAll(memory, keysOf('late', 500))
  expect(kept(memory, ['early 49', 'new'])).toEqual(['early 49'])
})

test('a key that was popular long ago is new again', () => {
  const memory = new Entries<Sized>(100, 1_000_000)
  setAll(memory, ['once'])
  setAll(memory, keysOf('early', 1_000))

  setAll(memory, ['once'])
  setAll(memory, keysOf('late', 500))
  expect(memory.get('once')).toBeUndefined()
})

test('what is set is there for whoever set it, however large it is and however popular the rest', () => {
  const memory = new Entries<Sized>(1_000, 10_000)
  for (const key of keysOf('popular', 500)) {
    memory.set(key, { size: 5 })
    memory.get(key)
  }
  const large = { size: 9_000 }
  memory.set('large', large)
  expect(memory.get('large')).toBe(large)
  expect(memory.bytes).toBeLessThanOrEqual(10_000)
  expect(kept(memory, keysOf('popular', 500)).length).toBeGreaterThan(50)
})

test('a value that grows takes its room from others, and one that shrinks gives it back', () => {
  const memory = new Entries<Sized>(100, 1_000)
  for (const key of ['a', 'b', 'c']) memory.set(key, { size: 299 })
  memory.set('a', { size: 599 })
  expect(kept(memory, ['a', 'b', 'c'])).toHaveLength(2)
  expect(memory.get('a')).toEqual({ size: 599 })

  memory.set('a', { size: 99 })
  memory.set('b', { size: 299 })
  memory.set('c', { size: 299 })
  expect(kept(memory, ['a', 'b', 'c'])).toHaveLength(3)
  expect(memory.bytes).toBe(700)
})

test('a key whose value grows stays what it was: popular, asked for since, or neither', () => {
  const memory = new Entries<Sized>(1_000, 10_000)
  setAll(memory, ['popular'])
  memory.get('popular')
  setAll(memory, keysOf('early', 2_000))
  setAll(memory, ['asked for', 'neither'])
  memory.get('asked for')

  const keys = ['popular', 'asked for', 'neither']
  for (const key of keys) memory.set(key, { size: 1_000 })
  setAll(memory, keysOf('late', 2_000))
  expect(kept(memory, keys)).toEqual(['popular', 'asked for'])
})

test('a few large values that are asked for once push out none of many small ones that are asked for again', () => {
  const memory = new Entries<Sized>(1_000, 10_000)
  const popular = keysOf('popular', 100)
  setAll(memory, popular)
  kept(memory, popular)
  for (const key of keysOf('large', 500)) memory.set(key, { size: 2_000 })
  expect(kept(memory, popular)).toHaveLength(100)
})

test('once it was cleared, memory is as new', () => {
  const popular = keysOf('popular', 80)
  const early = keysOf('early', 50)
  const survivors = (memory: Entries<Sized>) => {
    setAll(memory, popular)
    kept(memory, popular)
    setAll(memory, early)
    setAll(memory, keysOf('late', 500))
    return kept(memory, [...popular, ...early])
  }
  const worn = new Entries<Sized>(100, 1_000_000)
  setAll(worn, popular)
  kept(worn, popular)
  // Keys that come back just after they went, later and later: newcomers get more room.
  for (let turn = 0; turn < 6_000; turn++) {
    worn.set(`visitor ${turn}`, one)
    worn.set(`visitor ${turn - 15 - Math.floor(turn / 100)}`, one)
  }
  setAll(worn, [...early, ...keysOf('middle', 100)])
  worn.clear()
  expect(survivors(worn)).toEqual(popular)
  expect(survivors(new Entries<Sized>(100, 1_000_000))).toEqual(popular)
})

test('a value larger than all of memory is not kept, and takes the older one with it', () => {
  const memory = new Entries<Sized>(100, 1_000)
  setAll(memory, ['other', 'key'])
  memory.set('key', { size: 1_001 })
  expect(kept(memory, ['other', 'key'])).toEqual(['other'])
})

test('to make room, it looks at a hundred used entries at most: a write is never slow', () => {
  const memory = new Entries<Sized>(1_000, 1_000_000)
  const popular = keysOf('popular', 1_000)
  setAll(memory, popular)
  expect(kept(memory, popular)).toHaveLength(1_000)
  memory.set('new', one)
  // Had it looked at all of them, the first would be the first that it met again.
  expect(popular.filter((key) => memory.get(key) === undefined)).toEqual(['popular 100'])
})

test('a memory for one entry holds the last', () => {
  const memory = new Entries<Sized>(1, 1_000)
  for (const key of ['a', 'a', 'b', 'a', 'c']) {
    memory.set(key, one)
    expect([memory.get(key), memory.count]).toEqual([one, 1])
  }
})
