import { type CacheStore, createCache, RedisBus, RedisStore } from '@stepladder/cache'
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
import { History } from './model/history.ts'
import { bentocache } from './peers/bentocache.ts'
import type { NodeOptions, PeerNode } from './peers/peer.ts'

const fenceMs = 1_000
/** Played side by side. */
const perWave = 200
const tags = ['red', 'blue'] as const

let redis: SharedRedis
beforeAll(async () => {
  redis = await sharedRedis()
})

test.each(seeds(1))(
  '400 random interleavings over three caches on one Redis serve nothing stale (seed %i)',
  async (seed) => {
    const stale = await play({ scenarios: 400, seed })
    expect(stale).toEqual([])
  },
  60_000,
)

test('the control arm: with the lease off, the same harness finds stale reads', async () => {
  const stale = await play({ scenarios: 200, seed: 1, open: (options) => openOurs(options, leaseless) })
  expect(stale.length).toBeGreaterThan(0)
}, 60_000)

test('the control arm: in bentocache, the same harness finds stale reads', async () => {
  const stale = await play({ scenarios: 200, seed: 1, open: bentocache.open })
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
    const played = play({ scenarios: 200, seed, url: server.url, budgetMs: 100 })
    const stale = await played.finally(() => {
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
  /** Whose nodes they are. Default ours. */
  readonly open?: (options: NodeOptions) => Promise<PeerNode>
}

/** Plays scenarios side by side over three nodes, each on a row of its own, and tells what was served too old. */
async function play({
  scenarios,
  seed,
  url = redis.url,
  budgetMs = 10_000,
  open = openOurs,
}: Play): Promise<string[]> {
  const rows = new Map<string, Scenario>()
  const options = {
    ...{ name: keyPrefix('play'), redis: url, ttlMs: 300_000, readBudgetMs: budgetMs },
    load: async (key: string) => rows.get(key)!.load(),
    tagsOf: (key: string) => tags.map((tag) => `${key}:${tag}`),
  }
  const nodes = await Promise.all(Array.from({ length: 3 }, () => open(options)))
  for (let first = 0; first < scenarios; first += perWave) {
    const wave = Array.from({ length: Math.min(perWave, scenarios - first) }, (_, index) => {
      const scenario = new Scenario(nodes, seed * 100_000 + first + index)
      rows.set(scenario.key, scenario)
      return scenario.run()
    })
    await Promise.all(wave)
  }
  await Promise.all(nodes.map((node) => node.close()))
  return [...rows.values()].flatMap(({ history }) => history.violations)
}

async function openOurs(
  { name, redis: url, load, tagsOf, ttlMs = 60_000, readBudgetMs }: NodeOptions,
  wrap = (store: CacheStore) => store,
): Promise<PeerNode> {
  const publisher = openRedis(String(url), { owner: 'test' })
  const cache = createCache({
    ...{ name, ttl: ttlMs, readBudget: readBudgetMs },
    store: wrap(new RedisStore(name, publisher)),
    bus: new RedisBus({ name, publisher, fenceMs }),
  })
  return {
    get: (key) => cache.getOrSet(key, () => load(key), { tags: tagsOf?.(key) }),
    invalidate: (key) => cache.delete(key),
    invalidateTag: (tag) => cache.invalidate({ tags: [tag] }),
    close: () => cache.close(),
  }
}

/** One row of a database, read through the nodes and changed behind them; what they may serve is the history's to say. */
class Scenario {
  readonly key: string
  readonly history = new History(fenceMs)
  readonly #nodes: readonly PeerNode[]
  readonly #random: () => number

  constructor(nodes: readonly PeerNode[], seed: number) {
    this.key = `row-${seed}`
    this.#nodes = nodes
    this.#random = seededRandom(seed)
  }

  async run(): Promise<void> {
    const actors = Array.from({ length: 4 }, async () => {
      for (let step = 0; step < 5; step++) {
        await sleep(this.#random() * 25)
        const node = Math.floor(this.#random() * this.#nodes.length)
        await (this.#random() < 0.65 ? this.#read(node) : this.#change(node))
      }
    })
    await Promise.all(actors)
    // Past the fence nobody may have anything but the last version, in memory or in Redis.
    await sleep(fenceMs)
    for (const node of this.#nodes.keys()) await this.#read(node)
  }

  async load(): Promise<string> {
    const value = this.history.valueOf(this.key)
    await sleep(this.#random() * 30)
    return value
  }

  async #read(node: number): Promise<void> {
    const asked = this.history.ask(node, this.key)
    this.history.answer(asked, await this.#nodes[node]!.get(this.key))
  }

  async #change(by: number): Promise<void> {
    const rows = this.history.commit([this.key])
    const node = this.#nodes[by]!
    const tag = `${this.key}:${tags[this.#random() < 0.5 ? 0 : 1]}`
    const told = await (this.#random() < 0.5 ? node.invalidate(this.key) : node.invalidateTag?.(tag))
    // Others than ours do not say.
    this.history.invalidated(rows, by, told === 'queued' ? 'queued' : 'done')
  }
}
