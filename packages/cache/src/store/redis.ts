import { randomUUID } from 'node:crypto'
import type { RedisClient } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import { RedisKeys } from './redis-keys.ts'
import { RedisScript } from './redis-script.ts'
import type { CacheStore, Claim, Claimed, Claims, ClaimTimes, Fill, Lease } from './store.ts'

// KEYS: record, lease; ARGV: token, ms, 1 for a lease beside a record
const claimScript = new RedisScript(`
local record = redis.call('GET', KEYS[1])
if record and ARGV[3] == '0' then return {0, record} end
return {redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0, record}`)

// KEYS: lease; ARGV: token, ms
const renewScript = new RedisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`)

// KEYS: lease; ARGV: token
const releaseScript = new RedisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`)

// KEYS: record, lease; ARGV: token, record, ms. No lease, no fill: an invalidation took it away.
const fillScript = new RedisScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1`)

// KEYS: record, lease; ARGV: record, ms
const setScript = new RedisScript(`
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
return 1`)

// KEYS: tag; ARGV: new epoch, ms. Twice the time, so that it is prolonged now and then and not at every load.
const epochScript = new RedisScript(`
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2] * 2)
  return ARGV[1]
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2) end
return epoch`)

/** Records, leases and tag epochs in Redis 6.2 or later, alone or as a cluster. Nothing stays without a TTL. */
export class RedisStore implements CacheStore {
  readonly #keys: RedisKeys
  readonly #client: Promise<RedisClient>

  /** Takes over the client: `close()` ends its connection. */
  constructor(name: string, client: Promise<RedisClient>) {
    this.#keys = new RedisKeys(name)
    this.#client = client
  }

  async get(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    const client = await this.#client
    return Promise.all(keys.map((key) => client.getBuffer(this.#keys.record(key))))
  }

  async claim(claims: readonly Claim[], tags: readonly string[], times: ClaimTimes): Promise<Claims> {
    const epochs = await Promise.all(tags.map((tag) => this.#ensureEpoch(tag, times.epochsMs)))
    return { epochs, claimed: await Promise.all(claims.map((claim) => this.#claim(claim, times.leaseMs))) }
  }

  async fill(fills: readonly Fill[]): Promise<readonly boolean[]> {
    return Promise.all(
      fills.map(
        async ({ key, token, record, forMs }) =>
          (await this.#run(fillScript, this.#pair(key), [token, record, forMs])) === 1,
      ),
    )
  }

  async set(key: string, record: Buffer, forMs: number): Promise<void> {
    await this.#run(setScript, this.#pair(key), [record, forMs])
  }

  async renew(leases: readonly Lease[], forMs: number): Promise<void> {
    await Promise.all(
      leases.map(({ key, token }) => this.#run(renewScript, [this.#keys.lease(key)], [token, forMs])),
    )
  }

  async release(leases: readonly Lease[]): Promise<void> {
    await Promise.all(
      leases.map(({ key, token }) => this.#run(releaseScript, [this.#keys.lease(key)], [token])),
    )
  }

  async invalidate({ keys, tags }: Invalidation): Promise<void> {
    const client = await this.#client
    // One command per key, each in its own slot; the connection sends them together.
    await Promise.all([
      ...keys.map((key) => client.call('unlink', ...this.#pair(key))),
      ...tags.map((tag) => client.call('unlink', this.#keys.tag(tag))),
    ])
  }

  async epochs(tags: readonly string[]): Promise<readonly (string | null)[]> {
    const client = await this.#client
    return Promise.all(tags.map((tag) => client.get(this.#keys.tag(tag))))
  }

  async close(): Promise<void> {
    // Not waited for: a connection that is still being made ends when it is.
    this.#client.then((client) => client.disconnect()).catch(() => {})
  }

  #pair(key: string): [record: string, lease: string] {
    return [this.#keys.record(key), this.#keys.lease(key)]
  }

  async #claim({ key, token, isForced = false }: Claim, leaseMs: number): Promise<Claimed> {
    const args = [token, leaseMs, isForced ? 1 : 0]
    // As the script above answers.
    const [granted, record] = (await this.#run(claimScript, this.#pair(key), args)) as [number, Buffer | null]
    return { record: record ?? null, isGranted: granted === 1 }
  }

  async #ensureEpoch(tag: string, forMs: number): Promise<string> {
    return String(await this.#run(epochScript, [this.#keys.tag(tag)], [randomUUID(), forMs]))
  }

  async #run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<unknown> {
    return script.run(await this.#client, keys, args)
  }
}
