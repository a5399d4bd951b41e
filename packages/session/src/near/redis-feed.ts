import { randomUUID } from 'node:crypto'
import { type Clock, type RedisClient, RedisListeners, redisKeyPrefix, type Timer } from '@stepladder/core'
import type { ChangeFeed, ChangeListener, FollowOptions } from './change-feed.ts'
import { ServerFeed } from './server-feed.ts'

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
  /** When a beat was last on its way for sure. */
  #publishedAt = Number.NEGATIVE_INFINITY
  #listeners: RedisListeners<ServerFeed> | undefined
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
    client.then((opened) => this.#follow(opened)).catch(() => {})
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#listeners?.close()
    this.#trust()
  }

  #follow(client: RedisClient): void {
    if (this.#isClosed) return
    const listeners = new RedisListeners(client, (connection) => this.#listen(client, connection))
    this.#listeners = listeners
    this.#beat(client, listeners)
  }

  #beat(client: RedisClient, listeners: RedisListeners<ServerFeed>): void {
    listeners.follow()
    this.#trust()
    this.#sendBeat(client)
    for (const listener of listeners) listener.reopenIfSilent(3 * this.#fenceMs, this.#publishedAt)
    this.#timer = this.#clock.after(this.#fenceMs / 4, () => this.#beat(client, listeners)).unref()
  }

  #listen(client: RedisClient, connection: RedisClient): ServerFeed {
    const channels = { beats: this.#beats, prefix: redisKeyPrefix(client) + this.#prefix }
    const heard = {
      onJoin: () => {
        this.#listener.onGap()
        this.#sendBeat(client)
      },
      onWritten: (names: readonly Buffer[] | null) => this.#tell(names, channels.prefix),
      onTrust: () => this.#trust(),
      onRefused: (_what: string, cause: Error) => this.#refuse(cause),
    }
    return new ServerFeed(connection, channels, heard, this.#clock)
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
    const heardAt = [...(this.#listeners ?? [])].map((listener) => listener.heardAt)
    this.heardUntil = heardAt.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...heardAt) + this.#fenceMs
  }

  /** Said once: on a cluster every server refuses, and at every connection. */
  #refuse(cause: unknown): void {
    if (this.#hasRefused) return
    this.#hasRefused = true
    this.#onRefused(cause)
  }
}
