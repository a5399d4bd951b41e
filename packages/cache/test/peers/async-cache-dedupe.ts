import { createCache } from 'async-cache-dedupe'
import { noTags, type Peer, usualMaxEntries, usualTtlMs } from './peer.ts'
import { redisClient } from './redis-client.ts'

/** It stores in memory or in Redis, not in both; with references where there are tags. */
export const asyncCacheDedupe: Peer = {
  name: 'async-cache-dedupe',
  hasTags: true,
  async open(options) {
    const { name, redis, load, tagsOf = noTags, ttlMs = usualTtlMs, maxEntries = usualMaxEntries } = options
    const invalidation = tagsOf !== noTags
    const ttl = ttlMs / 1_000
    const client = redis === undefined ? undefined : redisClient(redis)
    const cache = createCache({
      ttl,
      storage: client
        ? { type: 'redis', options: { client, invalidation: invalidation && { referencesTTL: ttl } } }
        : { type: 'memory', options: { size: maxEntries, invalidation } },
    })
    const references = (key: string) => [...tagsOf(key)]
    const defined = cache.define(name, invalidation ? { references } : {}, load)
    return {
      get: (key) => defined[name]!(key),
      invalidate: (key) => cache.clear(name, key),
      invalidateTag: (tag) => cache.invalidateAll(tag),
      close: async () => client?.disconnect(),
    }
  },
}
