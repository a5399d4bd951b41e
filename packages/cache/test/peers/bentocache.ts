import { once } from 'node:events'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { type NodeOptions, noTags, type Peer, type PeerNode, usualMaxEntries, usualTtlMs } from './peer.ts'
import { type ClientSettings, redisClient } from './redis-client.ts'

/**
 * https://bentocache.dev/docs/multi-tier. In memory alone with `serialize: false`, which its manual names the faster way;
 * with a bus that ends the process, when the first message names a value which this process has.
 */
export const bentocache: Peer = {
  name: 'bentocache',
  hasTags: true,
  open: (options) => openBento(options, {}, undefined),
}

/** With connections that fail fast and its breaker, so that it answers while Redis does not. */
export const bentocacheTuned: Peer = {
  name: 'bentocache, tuned to fail fast',
  hasTags: true,
  open: (options) =>
    openBento(
      options,
      { commandTimeout: 500, maxRetriesPerRequest: 0, enableOfflineQueue: false },
      { l2CircuitBreakerDuration: '2s', suppressL2Errors: true },
    ),
}

async function openBento(
  { name, redis, load, tagsOf = noTags, ttlMs = usualTtlMs, maxEntries = usualMaxEntries }: NodeOptions,
  settings: ClientSettings,
  breaker: { l2CircuitBreakerDuration: string; suppressL2Errors: boolean } | undefined,
): Promise<PeerNode> {
  const store = bentostore().useL1Layer(
    memoryDriver({ maxItems: maxEntries, serialize: redis !== undefined }),
  )
  // The bus makes two connections of its own from this one.
  const bus = redis === undefined ? undefined : redisClient(redis, { enableAutoPipelining: false })
  if (redis !== undefined && bus) {
    const connection = redisClient(redis, settings)
    // Who fails fast fails at once while it is being made.
    await once(connection, 'ready')
    store.useL2Layer(redisDriver({ connection }))
    store.useBus(redisBusDriver({ connection: bus }))
  }
  const bento = new BentoCache({
    default: 'cache',
    prefix: name,
    ttl: ttlMs,
    ...breaker,
    stores: { cache: store },
  })
  const get =
    tagsOf === noTags
      ? (key: string) => bento.getOrSet({ key, factory: () => load(key) })
      : (key: string) => bento.getOrSet({ key, factory: () => load(key), tags: [...tagsOf(key)] })
  return {
    get,
    invalidate: (key) => bento.delete({ key }),
    invalidateTag: (tag) => bento.deleteByTag({ tags: [tag] }),
    close: async () => {
      await bento.disconnectAll()
      bus?.disconnect()
    },
  }
}
