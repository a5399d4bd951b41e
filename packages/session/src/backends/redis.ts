import { Deadlines, openRedis, type RedisClient, type RedisOption } from '@stepladder/core'
import type { Replaced, SessionBackend } from '../backend.ts'
import type { ExpiryIndex } from '../expiry/expiry-index.ts'
import type { ChangeFeed, ChangeListener, FollowOptions } from '../near/change-feed.ts'
import { RedisFeed } from '../near/redis-feed.ts'
import type { UserIndex } from '../users/user-index.ts'
import { RedisBatches, Replacement } from './redis-batches.ts'
import { RedisExpiryIndex } from './redis-expiries.ts'
import { scanKeys } from './redis-scan.ts'
import { RedisUserIndex } from './redis-users.ts'

export interface RedisSessionBackendOptions {
  /** A URL, or a client that the app has: it is duplicated, never changed. */
  readonly redis: RedisOption
  /** Stands before each id. Default `'sess:'`, as in connect-redis. */
  readonly prefix?: string | undefined
  /** A call that takes longer fails, in milliseconds. Default 250. */
  readonly commandTimeoutMs?: number | undefined
  /** Hears of each failing connection; it is tried again for ever. */
  readonly onError?: ((error: Error) => void) | undefined
}

/** Long after nobody waits for a command any more: this only lets go of those that ioredis has lost with their connection. */
const lostAfter = 4

/** Sessions in Redis, as connect-redis keeps them: a JSON string at `sess:<id>` that expires by itself. */
export class RedisSessionBackend implements SessionBackend {
  readonly endsInTime: boolean = true
  readonly users: UserIndex
  readonly expiries: ExpiryIndex
  readonly #client: Promise<RedisClient>
  readonly #prefix: string
  readonly #deadlines: Deadlines
  /** As soon as there is a client: a read need not wait for it then. */
  #batches: RedisBatches | undefined

  constructor({ redis, prefix = 'sess:', commandTimeoutMs = 250, onError }: RedisSessionBackendOptions) {
    this.#prefix = prefix
    this.#deadlines = new Deadlines(commandTimeoutMs)
    this.#client = openRedis(redis, {
      owner: 'sessionStore',
      commandTimeoutMs: commandTimeoutMs * lostAfter,
      alone: ['mget', 'evalsha'],
      ...(onError ? { onError } : {}),
    })
    // Whoever uses it hears why it could not be opened; nobody may have asked yet.
    this.#client.catch(() => {})
    this.users = new RedisUserIndex(this.#client, prefix)
    this.expiries = new RedisExpiryIndex(this.#client, prefix)
  }

  get(id: string): Promise<string | undefined> {
    const key = this.#prefix + id
    return this.#batches?.read(key) ?? this.#inTime('reading', async () => (await this.#open()).read(key))
  }

  async put(id: string, text: string, ttlMs: number): Promise<void> {
    await this.#call('writing', 'set', this.#prefix + id, text, 'PX', ttlMs)
  }

  async putNew(id: string, text: string, ttlMs: number): Promise<boolean> {
    return (await this.#call('writing', 'set', this.#prefix + id, text, 'PX', ttlMs, 'NX')) === 'OK'
  }

  replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced> {
    const asked = new Replacement(this.#prefix + id, expected, text, ttlMs)
    return (
      this.#batches?.replace(asked) ??
      this.#inTime('writing', async () => (await this.#open()).replace(asked))
    )
  }

  async touch(id: string, ttlMs: number): Promise<boolean> {
    return (await this.#call('touching', 'pexpire', this.#prefix + id, ttlMs)) === 1
  }

  async destroy(id: string): Promise<string | undefined> {
    const ended = await this.#call('destroying', 'getdel', this.#prefix + id)
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
    if (client) await this.#inTime('closing', () => client.quit()).catch(() => client.disconnect())
  }

  async #open(): Promise<RedisBatches> {
    const client = await this.#client
    this.#batches ??= new RedisBatches(client, this.#deadlines)
    return this.#batches
  }

  #call(what: string, command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#inTime(what, async () => (await this.#client).call(command, ...args))
  }

  #inTime<T>(what: string, call: () => Promise<T>): Promise<T> {
    return this.#deadlines.run(what, call)
  }

  async #ids(): Promise<string[]> {
    return scanKeys(await this.#client, this.#prefix, 'string')
  }
}
