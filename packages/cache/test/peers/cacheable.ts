import KeyvRedis from '@keyv/redis'
import { Cacheable, createKeyv } from 'cacheable'
import {
  type NodeOptions,
  noTags,
  type Peer,
  type PeerNode,
  type TagsOf,
  usualMaxEntries,
  usualTtlMs,
} from './peer.ts'
import { pubSubProvider } from './pub-sub-provider.ts'

/**
 * Primary, secondary and CacheSync, as its README puts them together. Its `getOrSet` takes no tags, so with tags it
 * is `get`, load and `set`.
 */
export const cacheable: Peer = {
  name: 'cacheable',
  hasTags: true,
  async open(options) {
    const { name, redis, tagsOf = noTags, ttlMs = usualTtlMs, maxEntries = usualMaxEntries } = options
    const cache = new Cacheable({
      namespace: name,
      ttl: ttlMs,
      tags: tagsOf !== noTags,
      primary: createKeyv({ ttl: ttlMs, lruSize: maxEntries }),
      ...(redis === undefined
        ? {}
        : { secondary: new KeyvRedis(redis), sync: { qified: pubSubProvider(redis) } }),
    })
    cache.on('error', () => {})
    return nodeOf(cache, { ...options, tagsOf, ttlMs })
  },
}

function nodeOf(
  cache: Cacheable,
  { load, tagsOf, ttlMs }: Pick<NodeOptions, 'load'> & { tagsOf: TagsOf; ttlMs: number },
): PeerNode {
  const tagged = async (key: string) => {
    const found: unknown = await cache.get(key)
    if (found !== undefined) return found
    const loaded = await load(key)
    await cache.set(key, loaded, { ttl: ttlMs, tags: [...tagsOf(key)] })
    return loaded
  }
  return {
    get: tagsOf === noTags ? (key) => cache.getOrSet(key, () => load(key), { ttl: ttlMs }) : tagged,
    invalidate: (key) => cache.delete(key),
    invalidateTag: (tag) => cache.tags.invalidateTag(tag),
    close: async () => void (await cache.disconnect()),
  }
}
