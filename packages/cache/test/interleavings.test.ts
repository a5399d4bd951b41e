import { type Cache, type CacheStore, createCache, RedisBus, RedisStore } from '@stepladder/cache'
import { leaseless } from '@stepladder/cache/testing'
import { openRedis, sleep } from '@stepladder/core'
import {
  keyPrefix,
  type SharedRedis,
  seededRandom,
  seeds,
  sharedRedis,
  startRedis,
} from '@stepladder/core/testing'
import { beforeAll, expect, test } from 'vitest'

const fenceMs = 1_000
/** Played side by side. */
const perWave = 200
const tags = ['red', 'blue'] as const

let redis: SharedRedis
beforeAll(async () => {
  redis = await sharedRedis()
})

test.each(seeds(1))(
  '600 random interleavings over three caches on one Redis serve nothing stale (seed %i)',
  async (seed) => {
    const stale = await play({ scenarios: 600, seed })
    expect(stale).toEqual([])
  },
  60_000,
)

test('the control arm: with the lease off, the same harness finds stale reads', async () => {
  const stale = await play({ scenarios: 200, seed: 1, wrap: leaseless })
  expect(stale.length).toBeGreaterThan(0)
}, 60_000)

test.each(seeds(1))(
  '200 of them serve nothing stale while Redis hangs and comes back, again and again (seed %i)',
  async (seed) => {
    await using server = await startRedis()
    let isOver = false
    const trouble = async () => {
      while (!isOver) {
        await sleep(150)
        await server.freeze()
        await sleep(350)
        await server.thaw()
      }
    }
    const troubled = trouble()
    const stale = await play({ scenarios: 200, seed, url: server.url, budgetMs: 100 }).finally(() => {
      isOver = true
    })
    await troubled
    expect(stale).toEqual([])
  },
  60_000,
)

interface Play {
  readonly url?: string
  readonly budgetMs?: number
  readonly scenarios: number
  readonly seed: number
  readonly wrap?: (store: CacheStore) => CacheStore
}

/** Plays scenarios side by side, each on a key and tags of its own, and tells what was served too old. */
async function play({
  scenarios,
  seed,
  url = redis.url,
  budgetMs = 10_000,
  wrap = (store) => store,
}: Play): Promise<string[]> {
  const name = keyPrefix('play')
  const caches = Array.from({ length: 3 }, () => {
    const publisher = openRedis(url, { owner: 'test' })
    const store = wrap(new RedisStore(name, publisher))
    return createCache({
      ...{ name, ttl: '5m', readBudget: budgetMs, store },
      bus: new RedisBus({ name, publisher, fenceMs }),
    })
  })
  const stale: string[] = []
  const waves = Math.ceil(scenarios / perWave)
  for (let wave = 0; wave < waves; wave++) {
    const first = wave * perWave
    const count = Math.min(perWave, scenarios - first)
    const found = await Promise.all(
      Array.from({ length: count }, (_, index) => new Scenario(caches, seed * 100_000 + first + index).run()),
    )
    stale.push(...found.flat())
  }
  await Promise.all(caches.map((cache) => cache.close()))
  return stale
}

/** One row of a database, read through the caches and changed behind them. */
class Scenario {
  readonly #caches: readonly Cache[]
  readonly #key: string
  readonly #random: () => number
  readonly #stale: string[] = []
  #version = 0
  /** When each version's invalidation had resolved, who had asked for it, and whether all were told. */
  readonly #invalidated: { version: number; at: number; by: number; isDone: boolean }[] = []

  constructor(caches: readonly Cache[], seed: number) {
    this.#caches = caches
    this.#key = `row-${seed}`
    this.#random = seededRandom(seed)
  }

  async run(): Promise<string[]> {
    const actors = Array.from({ length: 4 }, async () => {
      for (let step = 0; step < 5; step++) {
        await sleep(this.#random() * 25)
        await (this.#random() < 0.65 ? this.#read() : this.#change())
      }
    })
    await Promise.all(actors)
    // Past the fence nobody may have anything but the last version, in memory or in Redis.
    await sleep(fenceMs)
    for (let cache = 0; cache < this.#caches.length; cache++) await this.#read(cache)
    return this.#stale
  }

  async #read(index: number = Math.floor(this.#random() * this.#caches.length)): Promise<void> {
    const least = this.#leastVersion(index)
    const loadMs = this.#random() * 30
    const load = async () => {
      const version = this.#version
      await sleep(loadMs)
      return version
    }
    const served = await this.#caches[index]!.getOrSet(this.#key, load, { tags: this.#tags() })
    if (served < least) this.#stale.push(`${this.#key}: cache ${index} served ${served}, not ${least}`)
  }

  async #change(): Promise<void> {
    const by = Math.floor(this.#random() * this.#caches.length)
    this.#version += 1
    const version = this.#version
    const tag = this.#tags()[this.#random() < 0.5 ? 0 : 1]!
    const what = this.#random() < 0.5 ? { keys: [this.#key] } : { tags: [tag] }
    const isDone = (await this.#caches[by]!.invalidate(what)) === 'done'
    this.#invalidated.push({ version, at: performance.now(), by, isDone })
  }

  /** What a read that begins now may be given at the least: at once where it was invalidated, past the fence elsewhere. */
  #leastVersion(index: number): number {
    const now = performance.now()
    const binding = this.#invalidated.filter(
      ({ at, by, isDone }) => by === index || (isDone && now - at >= fenceMs),
    )
    return Math.max(0, ...binding.map(({ version }) => version))
  }

  #tags(): string[] {
    return tags.map((tag) => `${this.#key}:${tag}`)
  }
}
