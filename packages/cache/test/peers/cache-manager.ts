import KeyvRedis from '@keyv/redis'
import { createCache } from 'cache-manager'
import { createKeyv } from 'cacheable'
import { Keyv } from 'keyv'
import { type Peer, usualMaxEntries, usualTtlMs } from './peer.ts'

/** CacheableMemory before Keyv on Redis, as its README puts them together. It has neither tags nor a bus. */
export const cacheManager: Peer = {
  name: 'cache-manager',
  hasTags: false,
  async open({ name, redis, load, ttlMs = usualTtlMs, maxEntries = usualMaxEntries }) {
    const memory = createKeyv({ ttl: ttlMs, lruSize: maxEntries })
    const stores =
      redis === undefined ? [memory] : [memory, new Keyv({ store: new KeyvRedis(redis), namespace: name })]
    for (const store of stores) store.on('error', () => {})
    const cache = createCache({ stores, ttl: ttlMs })
    return {
      get: (key) => cache.wrap(key, () => load(key)),
      invalidate: (key) => cache.del(key),
      close: async () => void (await cache.disconnect()),
    }
  },
}
