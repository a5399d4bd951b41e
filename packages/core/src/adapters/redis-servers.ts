import type { RedisClient } from '../redis.ts'

/** A client of a Redis Cluster, as ioredis's `Cluster` is one. */
export interface RedisClusterClient extends RedisClient {
  nodes(role: 'master'): RedisClient[]
}

/** True for the client of a cluster, where no command may name keys of two slots. */
export function isRedisCluster(client: RedisClient): client is RedisClusterClient {
  return 'nodes' in client
}

/**
 * A connection to each server that takes writes: the client itself, or those of a cluster's client to the masters that it
 * knows of at the moment (none before it is connected). They stay the client's: they are not to be closed.
 */
export function redisMasters(client: RedisClient): readonly RedisClient[] {
  return isRedisCluster(client) ? client.nodes('master') : [client]
}

/**
 * What the app's client puts before each key by itself, empty for nothing. It does so where a command names keys, and
 * nowhere else: not in patterns, channels, or the prefixes of CLIENT TRACKING, and not in what Redis tells of keys.
 */
export function redisKeyPrefix(client: RedisClient): string {
  // A cluster says it for itself or for its nodes.
  const { options } = client as { options?: { keyPrefix?: unknown; redisOptions?: { keyPrefix?: unknown } } }
  const found = options?.keyPrefix ?? options?.redisOptions?.keyPrefix
  return typeof found === 'string' || Buffer.isBuffer(found) ? found.toString() : ''
}
