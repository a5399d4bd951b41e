import type { CacheLike } from '../cache-like.ts'

/** What Keyv 5 asks of a storage adapter; there is no `iterator`, since a cache does not know all its keys. */
export interface KeyvStore {
  readonly opts: Readonly<Record<string, unknown>>
  /** Keyv writes its own namespace here. */
  namespace?: string | undefined
  get<Value>(key: string): Promise<Value | undefined>
  getMany<Value>(keys: string[]): Promise<(Value | undefined)[]>
  has(key: string): Promise<boolean>
  hasMany(keys: string[]): Promise<boolean[]>
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  delete(key: string): Promise<boolean>
  deleteMany(keys: string[]): Promise<boolean>
  clear(): Promise<void>
  on(event: string, listener: (...args: unknown[]) => void): this
}

/**
 * A cache as Keyv's storage: `new Keyv({ store: keyvStore(cache) })`, one store for each Keyv. Code written for Keyv
 * gets shared memory, coherent processes, bounded time in an outage, and deletes that are delivered. What it cannot get
 * is what needs the loader: a `get` and a `set` are not bound together, so two processes load at once, and a value
 * that was read before a `delete` can be set after it. Its API is Keyv's: keys without a TTL have the cache's, changes
 * made while Redis is away answer false, and `clear` removes what was set through this namespace of Keyv.
 */
export function keyvStore(cache: CacheLike): KeyvStore {
  return new KeyvAdapter(cache)
}

class KeyvAdapter implements KeyvStore {
  readonly opts = { dialect: 'stepladder' }
  namespace: string | undefined
  readonly #cache: CacheLike

  constructor(cache: CacheLike) {
    this.#cache = cache
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return (await this.#cache.get(key)) as Value | undefined // what Keyv has set
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    const found = await this.#cache.getMany(keys)
    return keys.map((key) => found.get(key) as Value | undefined) // what Keyv has set
  }

  has(key: string): Promise<boolean> {
    return this.#cache.has(key)
  }

  hasMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.#cache.has(key)))
  }

  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const isOver = ttl !== undefined && ttl < 1
    const options = { ttl: ttl !== undefined && Number.isFinite(ttl) ? ttl : undefined, tags: [this.#tag] }
    const delivery = await (isOver ? this.#cache.delete(key) : this.#cache.set(key, value, options))
    return delivery === 'done'
  }

  async delete(key: string): Promise<boolean> {
    return this.deleteMany([key])
  }

  /** True when all of them were there, and are gone. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const wereThere = await this.hasMany(keys)
    const delivery = await this.#cache.invalidate({ keys })
    return delivery === 'done' && wereThere.every((wasThere) => wasThere)
  }

  async clear(): Promise<void> {
    await this.#cache.invalidate({ tags: [this.#tag] })
  }

  /** Nothing to hear: what fails, fails in its call, and a failed read is a miss. */
  on(): this {
    return this
  }

  get #tag(): string {
    return `keyv:${this.namespace ?? ''}`
  }
}
