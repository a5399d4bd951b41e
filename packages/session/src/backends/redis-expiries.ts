import { type RedisClient, RedisScript } from '@stepladder/core'
import type { ExpiryIndex } from '../expiry/expiry-index.ts'

const nowByServer = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** An entry of a set that nobody looks at any more is of no use to anybody. */
const unseenMs = 7 * 86_400_000

/** The sets are in other slots than the records: no script touches both. */
const noteScript = new RedisScript(`${nowByServer}
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', KEYS[1], last + ARGV[4])
redis.call('PEXPIREAT', KEYS[2], last + ARGV[4])
return 1`)

/** Who removes it has it. */
const takeScript = new RedisScript(`
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return false end
local about = redis.call('HGET', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return about`)

const dueScript = new RedisScript(`${nowByServer}
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])`)

const putOffScript = new RedisScript(`${nowByServer}
return redis.call('ZADD', KEYS[1], 'XX', 'GT', now + ARGV[2], ARGV[1])`)

const shares = 16

/** Sessions by their end in the sorted sets `<prefix>expiries:{0}` to `{15}`, and what is known of them in a hash beside each. */
export class RedisExpiryIndex implements ExpiryIndex {
  readonly #client: Promise<RedisClient>
  readonly #prefix: string
  /** Where the next look begins: every share has its turn. */
  #next = Math.floor(Math.random() * shares)

  constructor(client: Promise<RedisClient>, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  async note(key: string, about: string, ttlMs: number): Promise<void> {
    await noteScript.run(await this.#client, this.#keysOf(shareOf(key)), [key, about, ttlMs, unseenMs])
  }

  async forget(key: string): Promise<boolean> {
    return (await this.#take(key)) !== undefined
  }

  async takeExpired(most: number): Promise<readonly string[]> {
    const taken: string[] = []
    for (let turn = 0; turn < shares && taken.length < most; turn++) {
      taken.push(...(await this.#takeOfShare(this.#next, most - taken.length)))
      this.#next = (this.#next + 1) % shares
    }
    return taken
  }

  /** Those that are due and alive are put off, so that they do not stand before the others. */
  async #takeOfShare(share: number, most: number): Promise<readonly string[]> {
    const client = await this.#client
    const taken: string[] = []
    for (;;) {
      const limit = most - taken.length
      // The script answers with a list of keys.
      const due = (await dueScript.run(client, this.#keysOf(share), [limit])) as string[]
      const abouts = await Promise.all(due.map((key) => this.#takeIfGone(client, key)))
      taken.push(...abouts.filter((about) => about !== undefined))
      if (due.length < limit || taken.length >= most) return taken
    }
  }

  async #takeIfGone(client: RedisClient, key: string): Promise<string | undefined> {
    const leftMs = Number(await client.call('pttl', this.#prefix + key))
    if (leftMs === -2) return this.#take(key)
    // Another program may have kept it for ever.
    const againMs = leftMs < 0 ? unseenMs : Math.max(1, leftMs)
    await putOffScript.run(client, this.#keysOf(shareOf(key)), [key, againMs])
    return undefined
  }

  async #take(key: string): Promise<string | undefined> {
    const about = await takeScript.run(await this.#client, this.#keysOf(shareOf(key)), [key])
    return typeof about === 'string' ? about : undefined
  }

  #keysOf(share: number): readonly string[] {
    const set = `${this.#prefix}expiries:{${share}}`
    return [set, `${set}:about`]
  }
}

function shareOf(key: string): number {
  let sum = 0
  for (let index = 0; index < key.length; index++) sum = (sum * 31 + key.charCodeAt(index)) | 0
  return Math.abs(sum) % shares
}
