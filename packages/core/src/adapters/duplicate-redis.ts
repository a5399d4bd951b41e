import type { RedisClient } from '../redis.ts'
import { isRedisCluster } from './redis-servers.ts'

/**
 * A client of its own for the same servers, with the settings of the given one except for these; on a cluster they are
 * those of each connection, and `clusterSettings` those of the whole. Close what is returned.
 */
export function duplicateRedis(
  client: RedisClient,
  settings: object,
  clusterSettings: object = {},
): RedisClient {
  const overrides = isRedisCluster(client)
    ? [undefined, { ...clusterSettings, redisOptions: { ...nodeSettingsOf(client), ...settings } }]
    : [settings]
  // `duplicate` takes other arguments on a cluster than on a single server, hence `never[]` in the port.
  return client.duplicate(...(overrides as never[]))
}

/** Passwords and TLS are among them, and ioredis 5 would take ours instead of them. */
function nodeSettingsOf(client: RedisClient): object | undefined {
  const { options } = client as { options?: { redisOptions?: object } }
  return options?.redisOptions
}
