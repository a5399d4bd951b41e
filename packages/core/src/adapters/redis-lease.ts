import type { LeaseStore } from '../leader/lease.ts'
import type { RedisClient, RedisOption } from '../redis.ts'
import { openRedis } from './ioredis.ts'
import { RedisScript } from './redis-script.ts'

export interface RedisLeaseOptions {
  readonly redis: RedisOption
  readonly name: string
  /** The machine in whose name the lease is held; no other machine has this name. */
  readonly machine: string
  /** A command that takes longer fails, in milliseconds. */
  readonly commandTimeoutMs: number
}

/**
 * SET NX PX, but a machine may take over its own. The counter outlives every lease; Redis's clock, in microseconds,
 * is its floor, so that tokens go on growing where the counter was lost (a flush, a failover to a replica that lags).
 */
const takeScript = new RedisScript(`
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, string.len(ARGV[1])) ~= ARGV[1] then return false end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(last + 1, now))
redis.call('SET', KEYS[2], token)
redis.call('SET', KEYS[1], ARGV[1] .. token, 'PX', ARGV[2])
return token`)

const renewScript = new RedisScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

const releaseScript = new RedisScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

/** The lease of one name in Redis, over a connection of its own. */
export async function openRedisLease(options: RedisLeaseOptions): Promise<LeaseStore> {
  const { redis, name, machine, commandTimeoutMs } = options
  // What fails is heard from the command that it makes fail.
  const client = await openRedis(redis, { owner: `onLeader "${name}"`, commandTimeoutMs })
  return new RedisLease(client, name, machine)
}

class RedisLease implements LeaseStore {
  readonly #client: RedisClient
  readonly #owner: string
  readonly #lease: string
  readonly #counter: string

  constructor(client: RedisClient, name: string, machine: string) {
    this.#client = client
    this.#owner = `${machine}:`
    // In braces, so that a Redis Cluster keeps the two together.
    this.#lease = `stepladder:leader:v1:{${name}}:lease`
    this.#counter = `stepladder:leader:v1:{${name}}:token`
  }

  async take(ttlMs: number): Promise<number | undefined> {
    const keys = [this.#lease, this.#counter]
    const token = await takeScript.run(this.#client, keys, [this.#owner, Math.ceil(ttlMs)])
    return token === null ? undefined : Number(token)
  }

  async renew(token: number, ttlMs: number): Promise<boolean> {
    const args = [this.#owner + token, Math.ceil(ttlMs)]
    return (await renewScript.run(this.#client, [this.#lease], args)) === 1
  }

  async release(token: number): Promise<void> {
    await releaseScript.run(this.#client, [this.#lease], [this.#owner + token])
  }

  async close(): Promise<void> {
    this.#client.disconnect()
  }
}
