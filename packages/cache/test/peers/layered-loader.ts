import {
  createGroupNotificationPair,
  createNotificationPair,
  GroupLoader,
  Loader,
  RedisCache,
  RedisGroupCache,
} from 'layered-loader'
import { type NodeOptions, noTags, type Peer, type PeerNode, usualMaxEntries, usualTtlMs } from './peer.ts'
import { redisClient } from './redis-client.ts'

/** Memory, RedisCache and a notification pair. Its tags are groups, of which a value has one: the first of its tags. */
export const layeredLoader: Peer = {
  name: 'layered-loader',
  hasTags: true,
  open: ({ tagsOf = noTags, ...options }) =>
    tagsOf === noTags ? openFlat(options) : openGrouped({ ...options, tagsOf }),
}

async function openFlat({
  name,
  redis,
  load,
  ttlMs = usualTtlMs,
  maxEntries = usualMaxEntries,
}: NodeOptions): Promise<PeerNode> {
  const shared = redis === undefined ? undefined : connect(redis, name)
  const pair = shared && createNotificationPair<unknown>(shared.notifications)
  const loader = new Loader<unknown>({
    inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: ttlMs, maxItems: maxEntries },
    dataSourceGetOneFn: load,
    loadErrorHandler: quiet,
    cacheUpdateErrorHandler: quiet,
    ...(shared && { asyncCache: new RedisCache<unknown>(shared.client, shared.records(ttlMs)) }),
    ...(pair && { notificationPublisher: pair.publisher, notificationConsumer: pair.consumer }),
  })
  await loader.init()
  return {
    get: (key) => loader.get(key),
    invalidate: (key) => loader.invalidateCacheFor(key),
    close: async () => {
      await loader.close().catch(() => {})
      shared?.disconnect()
    },
  }
}

async function openGrouped({
  name,
  redis,
  load,
  tagsOf = noTags,
  ttlMs = usualTtlMs,
  maxEntries = usualMaxEntries,
}: NodeOptions): Promise<PeerNode> {
  const shared = redis === undefined ? undefined : connect(redis, name)
  const pair = shared && createGroupNotificationPair<unknown>(shared.notifications)
  const loader = new GroupLoader<unknown>({
    inMemoryCache: { ttlInMsecs: ttlMs, maxGroups: 1_000, maxItemsPerGroup: maxEntries },
    dataSources: [
      {
        name: 'database',
        getFromGroup: load,
        getManyFromGroup: (keys: string[]) => Promise.all(keys.map(load)),
      },
    ],
    loadErrorHandler: quiet,
    cacheUpdateErrorHandler: quiet,
    ...(shared && { asyncCache: new RedisGroupCache<unknown>(shared.client, shared.records(ttlMs)) }),
    ...(pair && { notificationPublisher: pair.publisher, notificationConsumer: pair.consumer }),
  })
  await loader.init()
  const groupOf = (key: string) => tagsOf(key)[0] ?? ''
  return {
    get: (key) => loader.get(key, groupOf(key)),
    invalidate: (key) => loader.invalidateCacheFor(key, groupOf(key)),
    invalidateTag: (tag) => loader.invalidateCacheForGroup(tag),
    close: async () => {
      await loader.close().catch(() => {})
      shared?.disconnect()
    },
  }
}

/** It prints what goes wrong, and hands it on as well. */
const quiet = () => {}

function connect(url: string, name: string) {
  const [client, publisherRedis, consumerRedis] = [redisClient(url), redisClient(url), redisClient(url)]
  return {
    client,
    notifications: { channel: name, publisherRedis, consumerRedis },
    records: (ttlInMsecs: number) => ({ json: true, prefix: name, ttlInMsecs }),
    disconnect() {
      for (const connection of [client, publisherRedis, consumerRedis]) connection.disconnect()
    },
  }
}
