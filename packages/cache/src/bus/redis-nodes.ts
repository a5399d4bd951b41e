import type { RedisClient } from '@stepladder/core'
import { isCluster } from '../store/redis-incarnation.ts'
import type { SubscribedClient } from './redis-subscription.ts'

/** What a connection that only listens needs, besides what the client that it copies has. */
const settings = {
  // The third version of the protocol tells of writes in a form that ioredis does not hand on.
  protocol: 2,
  replyMapping: 'legacy',
  // All that ends with a connection is asked for again in an order that ioredis does not know.
  autoResubscribe: false,
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  lazyConnect: true,
  readOnly: false,
  connectTimeout: 1_000,
  // Memory waits for it.
  retryStrategy: (attempt: number) => Math.min(250, 50 * attempt),
  // Where a master is given up but not gone, only the sentinels know.
  failoverDetector: true,
}

/** How to open a connection to each server that takes writes, by where it is: the one, or a cluster's masters. */
export function listenersFor(client: RedisClient): ReadonlyMap<string, () => SubscribedClient> {
  if (!isCluster(client)) return new Map([['', () => duplicate(client)]])
  return new Map(client.nodes('master').map((node) => [placeOf(node), () => duplicate(node)]))
}

function duplicate(client: RedisClient): SubscribedClient {
  // `duplicate` takes other arguments on a cluster than on a single server, hence `never` in the port.
  return client.duplicate(settings as never)
}

function placeOf(node: RedisClient): string {
  // Nodes of a cluster are made with both, always.
  const { options } = node as unknown as { options: { host: string; port: number } }
  return `${options.host}:${options.port}`
}
