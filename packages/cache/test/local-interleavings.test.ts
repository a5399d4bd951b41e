import { type Cache, createCache } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock, seededRandom, seeds } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { LinkedBus } from './linked-bus.ts'

const keys = ['a', 'b'] as const
type Key = (typeof keys)[number]
/** How a synchronous reader keeps what it read. */
type Bring = 'fill' | 'set'

test.each(seeds(2))(
  'in 150 random interleavings of synchronous reads, loads, changes and late messages, nothing stale is left (seed %i)',
  async (seed) => {
    const stale: string[] = []
    for (let n = 0; n < 150; n++) stale.push(...(await play(seed * 10_000 + n, 'fill')))
    expect(stale).toEqual([])
  },
  60_000,
)

test('the control arm: readers that set what they read, as over an LRU, leave stale values', async () => {
  const stale: string[] = []
  for (let seed = 0; seed < 300 && stale.length === 0; seed++) stale.push(...(await play(seed, 'set')))
  expect(stale.length).toBeGreaterThan(0)
})

/** Plays 60 steps over three caches, then lets everything end; what is stale after that, in words. */
async function play(seed: number, bring: Bring): Promise<string[]> {
  const scene = new Scene(seed, bring)
  for (let step = 0; step < 60; step++) await scene.step()
  return scene.finish()
}

class Scene {
  readonly #clock = new FakeClock()
  readonly #buses = LinkedBus.ends(3)
  readonly #caches: readonly Cache[]
  readonly #rows = new Map<Key, number>(keys.map((key) => [key, 0]))
  readonly #random: () => number
  readonly #seed: number
  readonly #bring: Bring
  /** What is under way, each with its next step. */
  readonly #next: (() => unknown)[] = []

  constructor(seed: number, bring: Bring) {
    this.#seed = seed
    this.#bring = bring
    this.#random = seededRandom(seed)
    const store = new MemoryStore(this.#clock)
    this.#caches = this.#buses.map((bus) =>
      createCache({ name: 'test', ttl: '1h', clock: this.#clock, store, bus }),
    )
  }

  async step(): Promise<void> {
    const does = this.#random()
    if (does < 0.25) this.#read()
    else if (does < 0.35) this.#load()
    else if (does < 0.5) this.#change()
    else if (does < 0.55) this.#one(this.#buses).isSlow = true
    else if (does < 0.6) this.#one(this.#buses).catchUp()
    else if (does < 0.8) this.#goOn()
    else await this.#clock.advance(0)
  }

  async finish(): Promise<string[]> {
    while (this.#next.length > 0) {
      this.#goOn()
      await this.#clock.advance(0)
    }
    for (const bus of this.#buses) bus.catchUp()
    await this.#clock.advance(1)
    const stale: string[] = []
    for (const [index, cache] of this.#caches.entries()) {
      for (const key of keys) {
        const served = [cache.local.peek(key), await cache.get(key)]
        const row = this.#rows.get(key)
        for (const value of served)
          if (value !== undefined && value !== row)
            stale.push(`seed ${this.#seed}: cache ${index} has ${value} of ${key}, which is at ${row}`)
      }
    }
    return stale
  }

  #read(): void {
    const [{ local }, key] = [this.#one(this.#caches), this.#one(keys)]
    if (local.get(key) !== undefined) return
    this.#next.push(() => {
      const row = this.#rows.get(key)
      this.#next.push(() => local[this.#bring](key, row))
    })
  }

  #load(): void {
    const [cache, key] = [this.#one(this.#caches), this.#one(keys)]
    void cache.getOrSet(key, () => {
      const row = this.#rows.get(key)
      return new Promise((resolve) => void this.#next.push(() => resolve(row)))
    })
  }

  #change(): void {
    const [cache, key] = [this.#one(this.#caches), this.#one(keys)]
    const row = this.#rows.get(key)! + 1
    this.#rows.set(key, row)
    const invalidations = [
      () => cache.local.delete(key),
      () => cache.local.clear(),
      () => cache.delete(key),
      () => cache.clear(),
    ]
    // What is set is the row as it is now; an invalidation may come later.
    if (this.#random() < 0.4) cache.local.set(key, row)
    else this.#next.push(this.#one(invalidations))
  }

  #goOn(): void {
    const [next] = this.#next.splice(Math.floor(this.#random() * this.#next.length), 1)
    next?.()
  }

  #one<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }
}
