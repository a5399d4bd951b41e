import { randomUUID } from 'node:crypto'
import type { Clock, RedisClient, Timer } from '@stepladder/core'
import type { ChangeFeed, ChangeListener, FollowOptions } from './change-feed.ts'
import { type ListeningClient, RedisListener } from './redis-listener.ts'

export interface RedisFeedOptions extends FollowOptions {
  /** Sends beats; belongs to the backend. What listens is copied from it. */
  readonly client: Promise<RedisClient>
  /** What the keys of all records begin with, as the backend names them. */
  readonly prefix: string
}

/**
 * Hears from Redis which records are written, whoever writes them: CLIENT TRACKING in broadcast mode, on a connection to
 * each server that takes writes. Four times within the fence it publishes a beat by the backend's own connection.
 * Redis keeps the order of what it tells one connection, so a beat that comes back proves that whatever was
 * acknowledged before it was sent has been heard there.
 */
export class RedisFeed implements ChangeFeed {
  heardUntil: number = Number.NEGATIVE_INFINITY
  readonly #prefix: string
  readonly #beats: string
  readonly #fenceMs: number
  readonly #clock: Clock
  readonly #onRefused: (cause: unknown) => void
  readonly #listener: ChangeListener
  /** By where their servers are. */
  readonly #listeners = new Map<string, RedisListener>()
  /** When a beat was last on its way for sure. */
  #publishedAt = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #hasRefused = false
  #isClosed = false

  constructor({ client, prefix, fenceMs, clock, onRefused }: RedisFeedOptions, listener: ChangeListener) {
    this.#prefix = prefix
    this.#beats = `${prefix}beat:${randomUUID()}`
    this.#fenceMs = fenceMs
    this.#clock = clock
    this.#onRefused = onRefused
    this.#listener = listener
    // A client that cannot be had (no ioredis) is told by the backend; here it means: nothing is heard.
    client.then((opened) => this.#beat(opened)).catch(() => {})
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    for (const listener of this.#listeners.values()) listener.close()
    this.#listeners.clear()
    this.#trust()
  }

  #beat(client: RedisClient): void {
    if (this.#isClosed) return
    this.#followServers(client)
    this.#sendBeat(client)
    for (const listener of this.#listeners.values()) {
      listener.reopenIfSilent(3 * this.#fenceMs, this.#publishedAt)
    }
    this.#timer = this.#clock.after(this.#fenceMs / 4, () => this.#beat(client)).unref()
  }

  /** Listens where a master is new, and lets go of who is none any more. */
  #followServers(client: RedisClient): void {
    const servers = serversOf(client)
    for (const [place, listener] of this.#listeners) {
      if (servers.has(place)) continue
      this.#listeners.delete(place)
      listener.close()
    }
    for (const [place, server] of servers) {
      if (!this.#listeners.has(place)) this.#listeners.set(place, this.#listen(client, server))
    }
    this.#trust()
  }

  #listen(client: RedisClient, server: RedisClient): RedisListener {
    const keyPrefix = keyPrefixOf(client)
    const channels = { beats: this.#beats, prefix: keyPrefix + this.#prefix }
    const heard = {
      onJoin: () => {
        this.#listener.onGap()
        this.#sendBeat(client)
      },
      onWritten: (names: readonly Buffer[] | null) => this.#tell(names, channels.prefix),
      onTrust: () => this.#trust(),
      onRefused: (cause: unknown) => this.#refuse(cause),
    }
    // `duplicate` takes other arguments on a cluster than on a single server, hence `never` in the port; and what it
    // makes of a single server is one that `disconnect(true)` connects anew.
    const listening = server.duplicate(listenerSettings as never) as ListeningClient
    const listener = new RedisListener(listening, channels, heard, this.#clock)
    listener.open()
    return listener
  }

  #sendBeat(client: RedisClient): void {
    const sentAt = this.#clock.monotonic()
    client.call('publish', this.#beats, String(sentAt)).then(
      () => {
        this.#publishedAt = sentAt
      },
      // It will not be heard, and that is the news.
      () => {},
    )
  }

  #tell(names: readonly Buffer[] | null, prefix: string): void {
    if (names === null) this.#listener.onGap()
    else for (const name of names) this.#listener.onChange(name.toString().slice(prefix.length))
  }

  /** As far as the one that heard least allows. */
  #trust(): void {
    const heardAt = [...this.#listeners.values()].map((listener) => listener.heardAt)
    this.heardUntil = heardAt.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...heardAt) + this.#fenceMs
  }

  /** Said once: on a cluster every server refuses, and at every connection. */
  #refuse(cause: unknown): void {
    if (this.#hasRefused) return
    this.#hasRefused = true
    this.#onRefused(cause)
  }
}

/** What a connection that only listens needs, besides what the client that it copies has. */
const listenerSettings = {
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

/** Each server that takes writes, by where it is: the one, or a cluster's masters. */
function serversOf(client: RedisClient): ReadonlyMap<string, RedisClient> {
  // Only ioredis's `Cluster` has `nodes`, and it is no part of what Stepladder needs of every client.
  const { nodes } = client as { nodes?: (role: 'master') => RedisClient[] }
  if (!nodes) return new Map([['', client]])
  return new Map(nodes.call(client, 'master').map((node) => [placeOf(node), node]))
}

function placeOf(node: RedisClient): string {
  // Nodes of a cluster are made with both, always.
  const { options } = node as unknown as { options: { host: string; port: number } }
  return `${options.host}:${options.port}`
}

/** What a client of the app's puts before each key. */
function keyPrefixOf(client: RedisClient): string {
  // A cluster says it for itself or for its nodes.
  const { options } = client as { options?: { keyPrefix?: unknown; redisOptions?: { keyPrefix?: unknown } } }
  const found = options?.keyPrefix ?? options?.redisOptions?.keyPrefix
  return typeof found === 'string' || Buffer.isBuffer(found) ? found.toString() : ''
}
