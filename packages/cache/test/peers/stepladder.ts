import { createCache } from '@stepladder/cache'
import { noTags, type Peer, usualMaxEntries, usualTtlMs } from './peer.ts'

export const stepladder: Peer = {
  name: 'stepladder',
  hasTags: true,
  async open({
    name,
    redis,
    load,
    tagsOf = noTags,
    ttlMs = usualTtlMs,
    maxEntries = usualMaxEntries,
    readBudgetMs,
  }) {
    const cache = createCache({
      name,
      ttl: ttlMs,
      redis,
      maxEntries,
      readBudget: readBudgetMs,
      jitter: 0,
      embedded: true,
    })
    const get =
      tagsOf === noTags
        ? (key: string) => cache.getOrSet(key, () => load(key))
        : (key: string) => cache.getOrSet(key, () => load(key), { tags: tagsOf(key) })
    return {
      get,
      invalidate: (key) => cache.delete(key),
      invalidateTag: (tag) => cache.invalidate({ tags: [tag] }),
      close: () => cache.close(),
    }
  },
}
