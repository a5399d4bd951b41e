import type { RedisClient } from '../redis.ts'
import { duplicateRedis } from './duplicate-redis.ts'
import { redisMasters } from './redis-servers.ts'

/** What a connection that only listens needs, besides what the client that it copies has. */
const settings = {
  // The third version of the protocol tells of writes in a form that ioredis does not hand on.
  protocol: 2,
  replyMapping: 'legacy',
  // What ends with a connection is asked for again in an order that ioredis does not know.
  autoResubscribe: false,
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  lazyConnect: true,
  readOnly: false,
  connectTimeout: 1_000,
  // What it asks for is no request's, so that it has time on a busy machine.
  commandTimeout: 1_000,
  // Memory waits for it.
  retryStrategy: (attempt: number) => Math.min(250, 50 * attempt),
  // Where a master is given up but not gone, only the sentinels know.
  failoverDetector: true,
}

/** Something of the caller's that listens on a connection of its own, and ends it when it is closed. */
interface Listener {
  close(): void
}

/**
 * A listener at each server that takes writes: at the one, or at each of a cluster's masters, as these come and go.
 * Each has a connection that is fit for pub/sub and CLIENT TRACKING: of the second version of the protocol, not connected
 * yet, tried again for ever once it is; it asks for nothing by itself when it is made anew.
 */
export class RedisListeners<T extends Listener> {
  readonly #client: RedisClient
  readonly #listen: (connection: RedisClient) => T
  /** By where their servers are. */
  readonly #all = new Map<string, T>()

  /** `client` is copied, never changed. `listen` takes the connection over. */
  constructor(client: RedisClient, listen: (connection: RedisClient) => T) {
    this.#client = client
    this.#listen = listen
  }

  /** How many there are: none before `follow`, and on a cluster none before its client is connected. */
  get size(): number {
    return this.#all.size
  }

  /** Listens where a master is new, and lets go of who is none any more. To be called now and then. */
  follow(): void {
    const masters = new Map(redisMasters(this.#client).map((master) => [placeOf(master), master]))
    for (const [place, listener] of this.#all) {
      if (masters.has(place)) continue
      this.#all.delete(place)
      listener.close()
    }
    for (const [place, master] of masters) {
      if (!this.#all.has(place)) this.#all.set(place, this.#listen(duplicateRedis(master, settings)))
    }
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#all.values()
  }

  close(): void {
    for (const listener of this.#all.values()) listener.close()
    this.#all.clear()
  }
}

function placeOf(master: RedisClient): string {
  // Nodes of a cluster are made with both, always; who is the only one needs no name.
  const { options } = master as { options?: { host?: string; port?: number } }
  return `${options?.host}:${options?.port}`
}
