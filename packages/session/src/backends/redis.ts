import { createHash } from 'node:crypto'
import { openRedis, type RedisClient, type RedisOption } from '@stepladder/core'
import type { Replaced, SessionBackend } from '../backend.ts'

export interface RedisSessionBackendOptions {
  /** A URL, or a client that the app has: it is duplicated, never changed. */
  readonly redis: RedisOption
  /** Stands before each id. Default `'sess:'`, as in connect-redis. */
  readonly prefix?: string | undefined
  /** A command that takes longer fails, in milliseconds. Default 250. */
  readonly commandTimeoutMs?: number | undefined
  /** Hears of each failing connection; it is tried again for ever. */
  readonly onError?: ((error: Error) => void) | undefined
}

/**
 * Compares the record itself, not a version beside it: connect-redis, which may write the same record
 * during a rolling deploy, knows of no version. The answer carries what is there, to save a second trip.
 */
const replaceScript = `
local current = redis.call('GET', KEYS[1])
if current == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return current`
const replaceSha = createHash('sha1').update(replaceScript).digest('hex')

/** Sessions in Redis, as connect-redis keeps them: a JSON string at `sess:<id>` that expires by itself. */
export class RedisSessionBackend implements SessionBackend {
  readonly #client: Promise<RedisClient>
  readonly #prefix: string

  constructor({ redis, prefix = 'sess:', commandTimeoutMs = 250, onError }: RedisSessionBackendOptions) {
    this.#prefix = prefix
    this.#client = openRedis(redis, {
      owner: 'sessionStore',
      commandTimeoutMs,
      ...(onError ? { onError } : {}),
    })
    // Whoever uses it hears why it could not be opened; nobody may have asked yet.
    this.#client.catch(() => {})
  }

  async get(id: string): Promise<string | undefined> {
    const client = await this.#client
    return (await client.get(this.#prefix + id)) ?? undefined
  }

  async put(id: string, text: string, ttlMs: number): Promise<void> {
    await this.#call('SET', this.#prefix + id, text, 'PX', ttlMs)
  }

  async putNew(id: string, text: string, ttlMs: number): Promise<boolean> {
    return (await this.#call('SET', this.#prefix + id, text, 'PX', ttlMs, 'NX')) === 'OK'
  }

  async replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced> {
    const answer = await this.#evaluate(this.#prefix + id, expected, text, ttlMs)
    if (answer === 1) return { isDone: true }
    return { isDone: false, current: typeof answer === 'string' ? answer : undefined }
  }

  async touch(id: string, ttlMs: number): Promise<boolean> {
    return (await this.#call('PEXPIRE', this.#prefix + id, ttlMs)) === 1
  }

  async destroy(id: string): Promise<string | undefined> {
    const ended = await this.#call('GETDEL', this.#prefix + id)
    return typeof ended === 'string' ? ended : undefined
  }

  async all(): Promise<ReadonlyMap<string, string>> {
    const ids = await this.#ids()
    const records = await Promise.all(ids.map(async (id) => [id, await this.get(id)] as const))
    return new Map(records.filter((record): record is [string, string] => record[1] !== undefined))
  }

  async length(): Promise<number> {
    return (await this.#ids()).length
  }

  async clear(): Promise<void> {
    const ids = await this.#ids()
    await Promise.all(ids.map((id) => this.destroy(id)))
  }

  async close(): Promise<void> {
    const client = await this.#client.catch(() => undefined)
    await client?.quit().catch(() => client.disconnect())
  }

  async #call(command: string, ...args: (string | number)[]): Promise<unknown> {
    const client = await this.#client
    return client.call(command, ...args)
  }

  async #evaluate(key: string, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await this.#call('EVALSHA', replaceSha, 1, key, ...args)
    } catch (failure) {
      const isForgotten = failure instanceof Error && failure.message.startsWith('NOSCRIPT')
      if (!isForgotten) throw failure
      return this.#call('EVAL', replaceScript, 1, key, ...args)
    }
  }

  /** SCAN may name a key twice, and in a cluster each server names its own. */
  async #ids(): Promise<string[]> {
    const pattern = `${this.#prefix.replace(/[\\*?[\]]/g, '\\$&')}*`
    const keys = new Set<string>()
    for (const server of serversOf(await this.#client)) {
      let cursor = '0'
      do {
        const page = await server.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1_000)
        // Redis answers SCAN with a cursor and a list of keys.
        const [next, found] = page as [string, string[]]
        for (const key of found) keys.add(key)
        cursor = next
      } while (cursor !== '0')
    }
    return [...keys].map((key) => key.slice(this.#prefix.length))
  }
}

function serversOf(client: RedisClient): readonly RedisClient[] {
  // Only ioredis's `Cluster` has `nodes`, and it is no part of what Stepladder needs of every client.
  const { nodes } = client as { nodes?: (role: 'master') => RedisClient[] }
  return nodes ? nodes.call(client, 'master') : [client]
}
