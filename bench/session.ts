import { randomUUID } from 'node:crypto'
import { startRedis } from '@stepladder/core/testing'
import { sessionStore } from '@stepladder/session'
import { Redis } from 'ioredis'
import type { Bench } from './figure.ts'
import { interleave } from './interleave.ts'

const visits = 4_000
const concurrency = 64
const cookie = { originalMaxAge: null, httpOnly: true, path: '/' }
const ids = Array.from({ length: 500 }, () => randomUUID())

export const bench: Bench = {
  name: 'session',
  async run(rounds) {
    const redis = await startRedis()
    const raw = new Redis(redis.url, { enableAutoPipelining: true })
    const store = sessionStore({ redis: redis.url })
    try {
      // A store's records are express-session's; these are such as they come out of JSON.
      for (const id of ids) await store.set(id, { cookie, cart: { 17: 2, 4711: 1 }, user: 'ada' } as never)
      const { arms, ratio, spread } = await interleave(
        {
          'store.get': () => visitsPerSecond((id) => store.get(id)),
          'raw pipelined GET': () =>
            visitsPerSecond(async (id) => JSON.parse((await raw.get(`sess:${id}`)) ?? '')),
        },
        rounds,
        (round) => round['store.get'] / round['raw pipelined GET'],
      )
      const what = 'sessions read per second at concurrency 64, vs a raw pipelined GET and JSON.parse'
      return [{ id: 'read', what, aim: '>= 0.7', value: ratio, unit: 'x', arms, armsUnit: 'reads/s', spread }]
    } finally {
      await store.close()
      await raw.quit()
      await redis.stop()
    }
  },
}

async function visitsPerSecond(visit: (id: string) => Promise<unknown>): Promise<number> {
  let next = 0
  const visitor = async () => {
    while (next < visits) await visit(ids[next++ % ids.length]!)
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: concurrency }, visitor))
  return visits / ((performance.now() - startedAt) / 1_000)
}
