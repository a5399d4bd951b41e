import { RedisStore } from '@stepladder/cache'
import { MemoryStore, testCacheStore } from '@stepladder/cache/testing'
import { openRedis } from '@stepladder/core'
import { keyPrefix, type RedisServer, startRedis } from '@stepladder/core/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placeRecord } from './place-record.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

testCacheStore('MemoryStore', () => new MemoryStore(), { test })
testCacheStore('RedisStore', openStore, { test })

test('nothing stays in Redis without an end', async () => {
  const store = openStore()
  const record = Buffer.from('record')
  const claims = ['leased', 'filled'].map((key) => ({ key, token: 'a' }))
  await store.claim(claims, ['tag'], { leaseMs: 5_000, epochsMs: 5_000 })
  await store.fill([{ key: 'filled', token: 'a', record, forMs: 5_000 }])
  await placeRecord(store, 'set', record, 5_000)
  const client = await openRedis(redis.url, { owner: 'test' })
  const keys = await client.call('keys', '*')
  for (const key of keys as string[]) expect(await client.call('pttl', key), key).toBeGreaterThan(0)
  client.disconnect()
  await store.close()
})

test('a server that forgot our scripts is told them again', async () => {
  const store = openStore()
  await placeRecord(store, 'key', Buffer.from('one'), 5_000)
  const client = await openRedis(redis.url, { owner: 'test' })
  await client.call('script', 'flush')
  await placeRecord(store, 'key', Buffer.from('two'), 5_000)
  expect(await store.get(['key'])).toEqual([Buffer.from('two')])
  client.disconnect()
  await store.close()
})

function openStore(): RedisStore {
  return new RedisStore(keyPrefix('cache'), openRedis(redis.url, { owner: 'test' }))
}
