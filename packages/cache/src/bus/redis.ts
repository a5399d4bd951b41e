import { randomUUID } from 'node:crypto'
import { type Clock, type RedisClient, systemClock, type Timer } from '@stepladder/core'
import { RedisKeys } from '../store/redis-keys.ts'
import { type Bus, type BusListener, type Invalidation, readInvalidation } from './bus.ts'

export interface RedisBusOptions {
  readonly name: string
  /** Publishes; belongs to somebody else. */
  readonly publisher: Promise<RedisClient>
  /** Listens, and does nothing else; the bus closes it. */
  readonly subscriber: Promise<RedisClient>
  /** How old the last proof of a working channel may be. Default 1000. */
  readonly fenceMs?: number | undefined
  readonly clock?: Clock | undefined
}

/**
 * Redis pub/sub with a heartbeat. Every quarter of the fence the bus publishes a beat to itself: Redis keeps
 * the order of messages to one subscriber, so a beat that comes back proves that everything published before
 * it was sent has been heard.
 *
 *     down ──SUBSCRIBE answered (gap)──▶ up ──connection closed──▶ down
 *                                        up ──a beat is missing (gap)──▶ up
 */
export class RedisBus implements Bus {
  heardUntil: number = Number.NEGATIVE_INFINITY
  readonly #id = randomUUID()
  readonly #channel: string
  readonly #beats: string
  readonly #publisher: Promise<RedisClient>
  readonly #subscriber: Promise<RedisClient>
  readonly #fenceMs: number
  readonly #clock: Clock
  #listener: BusListener | undefined
  #isUp = false
  #sentBeat = 0
  #heardBeat = 0
  #timer: Timer | undefined
  #isClosed = false

  constructor({ name, publisher, subscriber, fenceMs = 1_000, clock = systemClock }: RedisBusOptions) {
    this.#channel = new RedisKeys(name).channel()
    this.#beats = `${this.#channel}:${this.#id}`
    this.#publisher = publisher
    this.#subscriber = subscriber
    this.#fenceMs = fenceMs
    this.#clock = clock
  }

  subscribe(listener: BusListener): void {
    this.#listener = listener
    // A client that cannot be had (no ioredis) is told by the store; here it means: never up.
    this.#subscriber.then((client) => this.#listenOn(client)).catch(() => {})
  }

  async publish({ keys, tags }: Invalidation): Promise<void> {
    const client = await this.#publisher
    await client.call('publish', this.#channel, JSON.stringify({ from: this.#id, keys, tags }))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.heardUntil = Number.NEGATIVE_INFINITY
    // Not waited for: a connection that is still being made ends when it is.
    this.#subscriber.then((client) => client.disconnect()).catch(() => {})
  }

  #listenOn(client: RedisClient): void {
    if (this.#isClosed) return
    client.on('message', (channel, text) => {
      if (channel === this.#beats) this.#hearBeat(String(text))
      else this.#hear(String(text))
    })
    client.on('close', () => {
      this.#isUp = false
    })
    client.on('ready', () => this.#join(client))
    if (client.status === 'ready') this.#join(client)
    this.#beat()
  }

  #join(client: RedisClient): void {
    client.call('subscribe', this.#channel, this.#beats).then(
      () => {
        this.#listener?.onGap()
        // Beats sent before this moment prove nothing: others may have spoken while we were away.
        this.#heardBeat = this.#sentBeat
        this.#isUp = true
        this.#sendBeat()
      },
      // The connection broke again, and will be ready again.
      () => {},
    )
  }

  #beat(): void {
    if (this.#isUp) this.#sendBeat()
    this.#timer = this.#clock.after(this.#fenceMs / 4, () => this.#beat()).unref()
  }

  #sendBeat(): void {
    const beat = ++this.#sentBeat
    const text = `${beat} ${this.#clock.monotonic()}`
    // A beat that is not sent will be missed, and that is the news.
    this.#publisher.then((client) => client.call('publish', this.#beats, text)).catch(() => {})
  }

  #hearBeat(text: string): void {
    const [beat, sentAt] = text.split(' ').map(Number)
    if (!this.#isUp || beat! <= this.#heardBeat) return
    if (beat !== this.#heardBeat + 1) this.#listener?.onGap()
    this.#heardBeat = beat!
    this.heardUntil = sentAt! + this.#fenceMs
  }

  #hear(text: string): void {
    const message = parse(text)
    if (typeof message === 'object' && message !== null && 'from' in message && message.from === this.#id)
      return
    const invalidation = readInvalidation(message)
    // Whatever a message that we cannot read invalidates, it is not in memory after this.
    if (invalidation) this.#listener?.onInvalidation(invalidation)
    else this.#listener?.onGap()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
