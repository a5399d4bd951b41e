import { type RedisClient, redisKeyPrefix, redisMasters } from '@stepladder/core'

/** The names of all keys of a type that begin with `prefix`, without it: each once, on whichever server it is. */
export async function scanKeys(
  client: RedisClient,
  prefix: string,
  type: 'string' | 'zset',
): Promise<string[]> {
  // The client puts its own prefix before keys, not before patterns, and leaves it on what SCAN names.
  const whole = redisKeyPrefix(client) + prefix
  const pattern = `${whole.replace(/[\\*?[\]]/g, '\\$&')}*`
  // SCAN may name a key twice, and in a cluster each server names its own.
  const keys = new Set<string>()
  for (const server of redisMasters(client)) {
    let cursor = '0'
    do {
      const page = await server.call('scan', cursor, 'MATCH', pattern, 'COUNT', 1_000, 'TYPE', type)
      // Redis answers SCAN with a cursor and a list of keys.
      const [next, found] = page as [string, string[]]
      for (const key of found) keys.add(key)
      cursor = next
    } while (cursor !== '0')
  }
  return [...keys].map((key) => key.slice(whole.length))
}
