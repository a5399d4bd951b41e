import { type RedisClient, RedisScript } from '@stepladder/core'
import type { Admission, Room, UserIndex } from '../users/user-index.ts'
import { scanKeys } from './redis-scan.ts'

/**
 * Sessions are in other slots of a cluster than their user's list, so that this touches the list alone. Time is the
 * server's, which also ends the records. The list itself lives as long as its last entry.
 */
const dropExpired = `
local list = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', list, '-inf', now)`

const listScript = new RedisScript(`${dropExpired}
return redis.call('ZRANGE', list, 0, -1)`)

const admitScript = new RedisScript(`${dropExpired}
local key, most = ARGV[1], tonumber(ARGV[3])
local over = {}
if most > 0 then
  local isListed = redis.call('ZSCORE', list, key)
  local tooMany = redis.call('ZCARD', list) + (isListed and 0 or 1) - most
  if tooMany > 0 then
    if ARGV[4] == 'refuse' then return 'full' end
    for _, other in ipairs(redis.call('ZRANGE', list, 0, tooMany)) do
      if other ~= key and #over < tooMany then over[#over + 1] = other end
    end
  end
end
redis.call('ZADD', list, 'GT', now + ARGV[2], key)
redis.call('PEXPIREAT', list, redis.call('ZRANGE', list, -1, -1, 'WITHSCORES')[2])
return over`)

/** The sessions of each user in a sorted set at `<prefix>user:{<user>}`: key, and until when it may live. */
export class RedisUserIndex implements UserIndex {
  readonly #client: Promise<RedisClient>
  readonly #prefix: string

  constructor(client: Promise<RedisClient>, prefix: string) {
    this.#client = client
    this.#prefix = `${prefix}user:{`
  }

  async admit(user: string, key: string, ttlMs: number, { most, whenFull }: Room): Promise<Admission> {
    const client = await this.#client
    // No number of Lua's is endless.
    const limit = Number.isFinite(most) ? most : 0
    const answer = await admitScript.run(client, [this.#listOf(user)], [key, ttlMs, limit, whenFull])
    // The script answers with a list of keys, or with a word.
    return answer === 'full' ? { isAdmitted: false } : { isAdmitted: true, over: answer as string[] }
  }

  async renew(user: string, key: string, ttlMs: number): Promise<void> {
    await this.admit(user, key, ttlMs, { most: Number.POSITIVE_INFINITY, whenFull: 'add' })
  }

  async remove(user: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    const client = await this.#client
    await client.call('zrem', this.#listOf(user), ...keys)
  }

  async list(user: string): Promise<readonly string[]> {
    // The script answers with a list of keys.
    return (await listScript.run(await this.#client, [this.#listOf(user)], [])) as string[]
  }

  async users(): Promise<readonly string[]> {
    const found = await scanKeys(await this.#client, this.#prefix, 'zset')
    return found.map((rest) => rest.slice(0, -1))
  }

  #listOf(user: string): string {
    return `${this.#prefix}${user}}`
  }
}
