import {
  begin,
  type Clock,
  ignoreReports,
  isRedisCluster,
  type RedisClient,
  RedisListeners,
  type Reporter,
  redisKeyPrefix,
  systemClock,
  type Timer,
} from '@stepladder/core'
import { readHeads } from '../store/redis-heads.ts'
import { RedisKeys } from '../store/redis-keys.ts'
import { RedisLink } from '../store/redis-link.ts'
import { type Bus, type BusListener, type Invalidation, readInvalidation } from './bus.ts'
import { RedisSubscription } from './redis-subscription.ts'
import { Touches } from './touches.ts'

export interface RedisBusOptions {
  readonly name: string
  /** Publishes; belongs to the store. What listens is copied from it. */
  readonly publisher: Promise<RedisClient>
  /** That of the store which uses the same client. */
  readonly link?: RedisLink | undefined
  /** How old the last proof of a working channel may be. Default 1000. */
  readonly fenceMs?: number | undefined
  /** Whether Redis is asked to tell of every write, whoever makes it. Default true. */
  readonly tracking?: boolean | undefined
  /** Hears of a server that refuses to. Default: nobody. */
  readonly report?: Reporter | undefined
  readonly clock?: Clock | undefined
}

/** Messages of a cluster that are known again. */
const mostRemembered = 1_000

/**
 * Redis pub/sub and tracking with a heartbeat. Every quarter of the fence the bus publishes a beat to itself: a
 * server keeps the order of messages to one subscriber, so a beat that comes back proves that everything published
 * before it was sent has been heard on that connection. On a cluster there is a connection to each master, and as
 * much is trusted as the one that heard least allows.
 */
export class RedisBus implements Bus {
  heardUntil: number = Number.NEGATIVE_INFINITY
  readonly #name: string
  readonly #keys: RedisKeys
  readonly #link: RedisLink
  readonly #publisher: Promise<RedisClient>
  readonly #fenceMs: number
  readonly #isTracking: boolean
  readonly #report: Reporter
  readonly #clock: Clock
  /** The latest messages, where each may come over several connections. */
  readonly #heard = new Set<string>()
  /** What was reported. */
  readonly #refused = new Set<'channels' | 'writes'>()
  #subscriptions: RedisListeners<RedisSubscription> | undefined
  #listener: BusListener | undefined
  #touches: Touches | undefined
  #sentBeat = 0
  /** When a beat was last on its way for sure. */
  #publishedAt = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #isClosed = false

  constructor(options: RedisBusOptions) {
    const { name, publisher, link, fenceMs = 1_000, tracking = true } = options
    const { report = ignoreReports, clock = systemClock } = options
    this.#name = name
    this.#keys = new RedisKeys(name)
    this.#link = link ?? new RedisLink(clock)
    this.#publisher = publisher
    this.#fenceMs = fenceMs
    this.#isTracking = tracking
    this.#report = report
    this.#clock = clock
  }

  subscribe(listener: BusListener): void {
    this.#listener = listener
    this.#link.writes.isAsked = this.#isTracking
    this.#link.onIncident = () => listener.onGap()
    // A client that cannot be had (no ioredis) is told by the store; here it means: never up.
    this.#publisher.then((client) => this.#listen(client)).catch(() => {})
  }

  async publish(invalidation: Invalidation): Promise<void> {
    const client = await this.#publisher
    const channel = this.#keys.channel(redisKeyPrefix(client))
    await client.call('publish', channel, this.#link.message(invalidation))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#touches?.close()
    this.#subscriptions?.close()
    this.heardUntil = Number.NEGATIVE_INFINITY
  }

  #listen(client: RedisClient): void {
    if (this.#isClosed) return
    const keyPrefix = redisKeyPrefix(client)
    const touches = new Touches({
      writes: this.#link.writes,
      lookUp: (touched) => this.#lookUp(client, touched),
      tell: (touched) => this.#listener?.onTouched?.(touched),
      isRelied: (key) => this.#listener?.isRelied?.(key) ?? true,
      clock: this.#clock,
    })
    this.#touches = touches
    const messages = this.#keys.channel(keyPrefix)
    const beats = `${messages}:${this.#link.id}`
    const channels = { messages, beats, prefixes: this.#isTracking ? this.#keys.prefixes(keyPrefix) : [] }
    const heard = {
      onJoin: () => this.#sendBeat(client, beats),
      onGap: () => this.#listener?.onGap(),
      onBeat: () => this.#trust(),
      onMessage: (text: string) => this.#hear(text),
      onWritten: (names: readonly Buffer[] | null) => {
        if (names === null) this.#listener?.onGap()
        else touches.hear(this.#keys.read(names, keyPrefix))
      },
      latestBeat: () => this.#sentBeat,
      onRefused: (what: 'channels' | 'writes', cause: Error) => this.#sayRefused(what, cause),
    }
    const open = (connection: RedisClient) => new RedisSubscription(connection, channels, heard, this.#clock)
    this.#publishedAt = this.#clock.monotonic()
    this.#subscriptions = new RedisListeners(client, open)
    this.#beat(client, beats)
  }

  #beat(client: RedisClient, beats: string): void {
    this.#subscriptions?.follow()
    this.#trust()
    this.#sendBeat(client, beats)
    this.#reopenWhatIsDead(client)
    this.#timer = this.#clock.after(this.#fenceMs / 4, () => this.#beat(client, beats)).unref()
  }

  #sendBeat(client: RedisClient, beats: string): void {
    // One that is not sent must not be missed.
    if (client.status !== 'ready') return
    const sentAt = this.#clock.monotonic()
    client.call('publish', beats, `${++this.#sentBeat} ${sentAt}`).then(
      () => {
        this.#publishedAt = sentAt
      },
      // It will be missed, and that is the news.
      () => {},
    )
  }

  #trust(): void {
    this.heardUntil = this.#heardAt() + this.#fenceMs
  }

  /** When the oldest of the latest beats was sent: of each, all that was said before has been heard. */
  #heardAt(): number {
    const subscriptions = [...(this.#subscriptions ?? [])]
    if (subscriptions.length === 0) return Number.NEGATIVE_INFINITY
    return Math.min(...subscriptions.map(({ heardAt }) => heardAt))
  }

  /** A connection whose other end is gone without a word would stay open for a quarter of an hour. */
  #reopenWhatIsDead(client: RedisClient): void {
    const silentMs = this.#clock.monotonic() - this.#publishedAt
    const patienceMs = 3 * this.#fenceMs
    if (silentMs < this.#fenceMs) {
      for (const subscription of this.#subscriptions ?? []) subscription.reopenIfSilent(patienceMs)
    }
    if (silentMs < patienceMs || client.status !== 'ready' || isRedisCluster(client)) return
    this.#publishedAt += silentMs
    client.disconnect(true)
  }

  async #lookUp(
    client: RedisClient,
    { keys, tags }: Invalidation,
  ): Promise<{ heads: readonly string[]; epochs: readonly string[] }> {
    const names = keys.map((key) => this.#keys.record(key))
    const [heads, epochs] = await Promise.all([
      readHeads(client, names),
      Promise.all(tags.map((tag) => client.get(this.#keys.tag(tag)))),
    ])
    return { heads, epochs: epochs.map((epoch) => epoch ?? '') }
  }

  #hear(text: string): void {
    const message = parse(text)
    const { from, n } = isRecord(message) ? message : {}
    if (from === this.#link.id) return
    if (typeof from === 'string' && typeof n === 'number' && this.#isRepeated(`${from} ${n}`)) return
    const invalidation = readInvalidation(message)
    // Whatever a message that we cannot read invalidates, it is not in memory after this.
    if (invalidation) this.#listener?.onInvalidation(invalidation)
    else this.#listener?.onGap()
  }

  /** The nodes of a cluster tell each other, and each tells us. */
  #isRepeated(message: string): boolean {
    if (this.#subscriptions === undefined || this.#subscriptions.size < 2) return false
    if (this.#heard.has(message)) return true
    this.#heard.add(message)
    if (this.#heard.size > mostRemembered) this.#heard.delete(this.#heard.values().next().value!)
    return false
  }

  /** Said once: on a cluster every node refuses, and at every connection. */
  #sayRefused(what: 'channels' | 'writes', cause: Error): void {
    if (this.#refused.has(what)) return
    this.#refused.add(what)
    const end = begin(
      { component: 'cache', name: this.#name, operation: 'listen' },
      this.#report,
      this.#clock,
    )
    end(what === 'writes' ? 'untracked' : 'refused', cause)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
