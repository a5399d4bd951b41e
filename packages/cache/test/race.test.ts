import { type Cache, type CacheStore, createCache, RedisBus, RedisStore } from '@stepladder/cache'
import { leaseless } from '@stepladder/cache/testing'
import { openRedis } from '@stepladder/core'
import { keyPrefix, type SharedRedis, sharedRedis } from '@stepladder/core/testing'
import { afterEach, beforeAll, expect, test } from 'vitest'

let redis: SharedRedis
beforeAll(async () => {
  redis = await sharedRedis()
})

const opened: Cache[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()))
})

/** Caches that share one name on one Redis: as many processes would have. */
function makeCaches(count: number, wrap = (store: CacheStore) => store): Cache[] {
  const name = keyPrefix('race')
  const caches = Array.from({ length: count }, () => {
    const publisher = openRedis(redis.url, { owner: 'test' })
    return createCache({
      ...{ name, ttl: '1m', readBudget: '5s' },
      store: wrap(new RedisStore(name, publisher)),
      bus: new RedisBus({ name, publisher }),
    })
  })
  opened.push(...caches)
  return caches
}

/** The classic race: a reader loads the old value, a writer changes it and invalidates, the reader stores. */
async function race(
  caches: readonly Cache[],
  invalidate: (cache: Cache) => Promise<unknown>,
): Promise<unknown[]> {
  const [reader, writer, other] = caches as [Cache, Cache, Cache]
  let row = 'old'
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  let isLoading = () => {}
  const loading = new Promise<void>((resolve) => {
    isLoading = resolve
  })
  const slow = reader.getOrSet(
    'key',
    async () => {
      const read = row
      isLoading()
      await gate
      return read
    },
    { tags: ['t'] },
  )
  await loading
  row = 'new'
  await invalidate(writer)
  open()
  expect(await slow).toBe('old') // it began before the change
  const load = async () => row
  return [
    await other.getOrSet('key', load, { tags: ['t'] }),
    await writer.getOrSet('key', load, { tags: ['t'] }),
  ]
}

test.each([
  ['key', (cache: Cache) => cache.invalidate({ keys: ['key'] })],
  ['tag', (cache: Cache) => cache.invalidate({ tags: ['t'] })],
  ['everything', (cache: Cache) => cache.clear()],
])('a load that another process overtook by invalidating (%s) is not stored', async (_by, invalidate) => {
  expect(await race(makeCaches(3), invalidate)).toEqual(['new', 'new'])
})

test('the control arm: with the lease off, the same race leaves the old value to everybody', async () => {
  const invalidate = (cache: Cache) => cache.invalidate({ keys: ['key'] })
  expect(await race(makeCaches(3, leaseless), invalidate)).toEqual(['old', 'old'])
})
