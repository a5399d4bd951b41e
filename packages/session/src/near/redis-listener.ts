import type { Clock, RedisClient } from '@stepladder/core'

export interface Heard {
  /** The connection listens from now on; what was said before may have been missed. */
  onJoin(): void
  /** Names as Redis knows them; null for all of them. */
  onWritten(names: readonly Buffer[] | null): void
  /** A beat came, or the connection went: how much may be trusted is another. */
  onTrust(): void
  onRefused(cause: unknown): void
}

export interface Channels {
  readonly beats: string
  /** What the keys of all records begin with. */
  readonly prefix: string
}

/** Where Redis tells which keys were written, to who has asked for it in the second version of its protocol. */
const trackingChannel = '__redis__:invalidate'

const rejoinMs = 250

/**
 * One connection to one server, that does nothing but listen: to what is written, and to the beats that prove that it
 * hears. Whatever it asked for ends with the connection, so it is asked for on each:
 *
 *     down ──ready, TRACKING and SUBSCRIBE answered──▶ up ──connection closed──▶ down
 */
export class RedisListener {
  /** By the monotonic clock: when the last beat that came back was sent. */
  heardAt: number = Number.NEGATIVE_INFINITY
  readonly #client: RedisClient
  readonly #channels: Channels
  readonly #heard: Heard
  readonly #clock: Clock
  #isUp = false
  #joinedAt = Number.NEGATIVE_INFINITY
  #connections = 0
  #isClosed = false

  /** Takes over the client, which is not connected yet. */
  constructor(client: RedisClient, channels: Channels, heard: Heard, clock: Clock) {
    this.#client = client
    this.#channels = channels
    this.#heard = heard
    this.#clock = clock
  }

  open(): void {
    const client = this.#client
    // What fails is not heard, and that is the news.
    client.on('error', () => {})
    client.on('messageBuffer', (channel, payload) => this.#hear(String(channel), payload))
    client.on('close', () => this.#leave())
    client.on('ready', () => void this.#join())
    // ioredis tries again by itself, and `ready` tells; until then nothing is heard, and memory is not used.
    client.connect().catch(() => {})
  }

  /** Makes a connection anew that brought nothing for so long, though the server was there at `publishedAt`. */
  reopenIfSilent(forMs: number, publishedAt: number): void {
    if (this.#isUp && publishedAt - Math.max(this.heardAt, this.#joinedAt) > forMs) this.#reopen()
  }

  close(): void {
    this.#isClosed = true
    this.#leave()
    this.#client.disconnect()
  }

  async #join(): Promise<void> {
    const connection = ++this.#connections
    try {
      await this.#ask()
    } catch (failure) {
      if (isReplyError(failure)) this.#heard.onRefused(failure)
      // Not at once: a server may refuse for ever.
      this.#clock.after(rejoinMs, () => connection === this.#connections && this.#reopen()).unref()
      return
    }
    this.#joinedAt = this.#clock.monotonic()
    this.#isUp = true
    this.#heard.onJoin()
  }

  async #ask(): Promise<void> {
    const { beats, prefix } = this.#channels
    // Before it subscribes to anything: then it may not ask any more.
    const id = Number(await this.#client.call('client', 'id'))
    await this.#client.call('client', 'tracking', 'on', 'redirect', id, 'bcast', 'prefix', prefix)
    await this.#client.call('subscribe', trackingChannel, beats)
  }

  #hear(channel: string, payload: unknown): void {
    if (!this.#isUp) return
    // What ioredis hands on: names in a list, or nothing when all are gone; else the text of a message.
    if (channel === trackingChannel) this.#heard.onWritten(payload as readonly Buffer[] | null)
    else if (channel === this.#channels.beats) {
      this.heardAt = Math.max(this.heardAt, Number(payload))
      this.#heard.onTrust()
    }
  }

  #reopen(): void {
    this.#leave()
    if (!this.#isClosed) this.#client.disconnect(true)
  }

  #leave(): void {
    this.#isUp = false
    this.heardAt = Number.NEGATIVE_INFINITY
    this.#heard.onTrust()
  }
}

function isReplyError(failure: unknown): boolean {
  return failure instanceof Error && failure.name === 'ReplyError'
}
