import { openRedis, type RedisClient, type RedisOption } from '@stepladder/core'
import type { Replaced, SessionBackend } from '../backend.ts'
import type { ExpiryIndex } from '../expiry/expiry-index.ts'
import type { ChangeFeed, ChangeListener, FollowOptions } from '../near/change-feed.ts'
import { RedisFeed } from '../near/redis-feed.ts'
import type { UserIndex } from '../users/user-index.ts'
import { RedisExpiryIndex } from './redis-expiries.ts'
import { scanKeys } from './redis-scan.ts'
import { RedisScript } from './redis-script.ts'
import { RedisUserIndex } from './redis-users.ts'

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
const replaceScript = new RedisScript(`
local current = redis.call('GET', KEYS[1])
if current == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return current`)

/** Sessions in Redis, as connect-redis keeps them: a JSON string at `sess:<id>` that expires by itself. */
export class RedisSessionBackend implements SessionBackend {
  /** By the client's own timeout of each command. */
  readonly endsInTime: boolean = true
  readonly users: UserIndex
  readonly expiries: ExpiryIndex
  readonly #client: Promise<RedisClient>
  /** The client as soon as there is one: a read need not wait for it then. */
  #opened: RedisClient | undefined
  readonly #prefix: string

  constructor({ redis, prefix = 'sess:', commandTimeoutMs = 250, onError }: RedisSessionBackendOptions) {
    this.#prefix = prefix
    this.#client = openRedis(redis, {
      owner: 'sessionStore',
      commandTimeoutMs,
      ...(onError ? { onError } : {}),
    })
    this.#client.then(
      (client) => {
        this.#opened = client
      },
      // Whoever uses it hears why it could not be opened; nobody may have asked yet.
      () => {},
    )
    this.users = new RedisUserIndex(this.#client, prefix)
    this.expiries = new RedisExpiryIndex(this.#client, prefix)
  }

  get(id: string): Promise<string | undefined> {
    const key = this.#prefix + id
    const asked = this.#opened ? this.#opened.get(key) : this.#client.then((client) => client.get(key))
    return asked.then(orUndefined)
  }

  async put(id: string, text: string, ttlMs: number): Promise<void> {
    await this.#call('SET', this.#prefix + id, text, 'PX', ttlMs)
  }

  async putNew(id: string, text: string, ttlMs: number): Promise<boolean> {
    return (await this.#call('SET', this.#prefix + id, text, 'PX', ttlMs, 'NX')) === 'OK'
  }

  async replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced> {
    const answer = await replaceScript.run(await this.#client, this.#prefix + id, expected, text, ttlMs)
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

  follow(listener: ChangeListener, options: FollowOptions): ChangeFeed {
    return new RedisFeed({ ...options, client: this.#client, prefix: this.#prefix }, listener)
  }

  async close(): Promise<void> {
    const client = await this.#client.catch(() => undefined)
    await client?.quit().catch(() => client.disconnect())
  }

  async #call(command: string, ...args: (string | number)[]): Promise<unknown> {
    const client = await this.#client
    return client.call(command, ...args)
  }

  async #ids(): Promise<string[]> {
    return scanKeys(await this.#client, this.#prefix, 'string')
  }
}

function orUndefined(answer: string | null): string | undefined {
  return answer ?? undefined
}
