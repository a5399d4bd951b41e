import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import { type NodeOptions, noTags, type Peer, type PeerNode, usualMaxEntries, usualTtlMs } from './peer.ts'

/**
 * https://bentocache.dev/docs/multi-tier. In memory alone with `serialize: false`, which its manual names the faster way;
 * with a bus that ends the process, when the first message names a value which this process has.
 */
export const bentocache: Peer = {
  name: 'bentocache',
  open: (options) => openBento(options, {}, undefined),
}

/** With connections that fail fast and its breaker, so that it answers while Redis does not. */
export const bentocacheTuned: Peer = {
  name: 'bentocache, tuned to fail fast',
  open: (options) =>
    openBento(
      options,
      { commandTimeout: 500, maxRetriesPerRequest: 0, enableOfflineQueue: false },
      { l2CircuitBreakerDuration: '2s', suppressL2Errors: true },
    ),
}

interface FailFast {
  readonly commandTimeout?: number
  readonly maxRetriesPerRequest?: number
  readonly enableOfflineQueue?: boolean
}

async function openBento(
  { name, redis, load, tagsOf = noTags, ttlMs = usualTtlMs, maxEntries = usualMaxEntries }: NodeOptions,
  settings: FailFast,
  breaker: { l2CircuitBreakerDuration: string; suppressL2Errors: boolean } | undefined,
): Promise<PeerNode> {
  const store = bentostore().useL1Layer(
    memoryDriver({ maxItems: maxEntries, serialize: redis !== undefined }),
  )
  if (redis !== undefined) {
    const connection = new Redis(redis, { enableAutoPipelining: true, ...settings })
    connection.on('error', () => {})
    store.useL2Layer(redisDriver({ connection }))
    const { hostname: host, port } = new URL(redis)
    store.useBus(redisBusDriver({ connection: { host, port: Number(port), ...settings } }))
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
    close: () => bento.disconnectAll(),
  }
}
