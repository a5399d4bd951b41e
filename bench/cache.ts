import { createCache } from '@stepladder/cache'
import { startRedis } from '@stepladder/core/testing'
import { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import type { Bench } from './figure.ts'
import { interleave } from './interleave.ts'

const keys = Array.from({ length: 1_000 }, (_, index) => `flight:${index}`)
const value = {
  id: 7,
  from: 'SFO',
  to: 'LAS',
  stops: Array.from({ length: 12 }, (_, at) => `stop number ${at}`),
}
const hits = 200_000
const fetches = 8_000

export const bench: Bench = {
  name: 'cache',
  async run(rounds) {
    const redis = await startRedis()
    try {
      return [await l1Hit(rounds), await l2Hit(rounds, redis.url)]
    } finally {
      await redis.stop()
    }
  },
}

async function l1Hit(rounds: number) {
  const cache = createCache({ name: 'bench', ttl: '1h', embedded: true })
  const lru = new LRUCache<string, object>({ max: 10_000, ttl: 3_600_000 })
  const load = async () => value
  for (const key of keys) await cache.getOrSet(key, load)
  for (const key of keys) lru.set(key, value)
  const asyncLru = async (key: string) => lru.get(key) ?? (await load())

  const { arms, ratio, spread } = await interleave(
    {
      'getOrSet from memory': () => callsPerSecond(hits, 1, (key) => cache.getOrSet(key, load)),
      'lru-cache behind an async function': () => callsPerSecond(hits, 1, asyncLru),
    },
    rounds,
    (round) => round['getOrSet from memory'] / round['lru-cache behind an async function'],
  )
  await cache.close()
  const what = 'awaited hit in memory, vs lru-cache behind an async function'
  return { id: 'l1-hit', what, aim: '>= 0.95', value: ratio, unit: 'x', arms, armsUnit: 'calls/s', spread }
}

async function l2Hit(rounds: number, url: string) {
  const writer = createCache({ name: 'bench', ttl: '1h', redis: url })
  // Room for one entry: every read goes to Redis.
  const reader = createCache({ name: 'bench', ttl: '1h', redis: url, maxEntries: 1 })
  const raw = new Redis(url, { enableAutoPipelining: true })
  const load = async () => value
  for (const key of keys) await writer.set(key, value)
  for (const key of keys) await raw.set(key, JSON.stringify(value))

  const { arms, ratio, spread } = await interleave(
    {
      'getOrSet from Redis': () => callsPerSecond(fetches, 64, (key) => reader.getOrSet(key, load)),
      'raw pipelined GET': () =>
        callsPerSecond(fetches, 64, async (key) => JSON.parse((await raw.get(key)) ?? '')),
    },
    rounds,
    (round) => round['getOrSet from Redis'] / round['raw pipelined GET'],
  )
  await Promise.all([writer.close(), reader.close(), raw.quit()])
  const what = 'hit in Redis at concurrency 64, vs a raw pipelined GET and JSON.parse'
  return { id: 'l2-hit', what, aim: '>= 0.95', value: ratio, unit: 'x', arms, armsUnit: 'calls/s', spread }
}

async function callsPerSecond(
  calls: number,
  concurrency: number,
  call: (key: string) => Promise<unknown>,
): Promise<number> {
  let next = 0
  const caller = async () => {
    while (next < calls) await call(keys[next++ % keys.length]!)
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: concurrency }, caller))
  return calls / ((performance.now() - startedAt) / 1_000)
}
