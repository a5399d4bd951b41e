import type { Clock, RedisClient } from '@stepladder/core'

/** Where Redis tells which keys were written, to who has asked for it in the second version of its protocol. */
const trackingChannel = '__redis__:invalidate'

const rejoinMs = 250

export interface Heard {
  /** The connection listens, from now on. */
  onJoin(): void
  /** Everything that was published and written up to now may have been missed. */
  onGap(): void
  onMessage(text: string): void
  /** Names as Redis knows them; null for all of them. */
  onWritten(names: readonly Buffer[] | null): void
  /** A beat came: how much is trusted may have changed. */
  onBeat(): void
  /** The server refuses to tell of writes. */
  onUntracked(cause: unknown): void
}

export interface Channels {
  readonly messages: string
  readonly beats: string
  /** What the names of keys of interest begin with; none where writes are not asked for. */
  readonly prefixes: readonly string[]
}

/**
 * One connection that does nothing but listen, to one server: to messages, to the beats that prove that it works,
 * and to what is written. Whatever it asked for ends with the connection, so it is asked for on each:
 *
 *     down ──ready, SUBSCRIBE answered (gap)──▶ up ──connection closed──▶ down
 *                                               up ──a beat is missing (gap)──▶ up
 */
export class RedisSubscription {
  /** By the monotonic clock: when the last beat that came back was sent. */
  heardAt: number = Number.NEGATIVE_INFINITY
  readonly #client: RedisClient
  readonly #channels: Channels
  readonly #heard: Heard
  readonly #clock: Clock
  #isUp = false
  /** How many there have been. */
  #connections = 0
  #lastBeat = 0
  #joinedAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  /** Takes over the client, which is not connected yet. */
  constructor(client: RedisClient, channels: Channels, heard: Heard, clock: Clock) {
    this.#client = client
    this.#channels = channels
    this.#heard = heard
    this.#clock = clock
  }

  /** `latestBeat` tells which beat was sent last. */
  open(latestBeat: () => number): void {
    const client = this.#client
    // What fails is missed, and that is the news.
    client.on('error', () => {})
    client.on('messageBuffer', (channel, payload) => this.#hear(String(channel), payload))
    client.on('close', () => {
      this.#isUp = false
    })
    client.on('ready', () => void this.#join(latestBeat))
    client.connect().catch(() => {})
  }

  /** Makes a connection anew that brought nothing for so long, though it is open. */
  reopenIfSilent(forMs: number): void {
    const spokeAt = Math.max(this.heardAt, this.#joinedAt)
    if (this.#isUp && this.#clock.monotonic() - spokeAt > forMs) this.#reopen()
  }

  close(): void {
    this.#isClosed = true
    this.#isUp = false
    this.heardAt = Number.NEGATIVE_INFINITY
    this.#client.disconnect()
  }

  async #join(latestBeat: () => number): Promise<void> {
    const { messages, beats } = this.#channels
    const connection = ++this.#connections
    try {
      // Before the connection subscribes to anything: then it may not ask any more.
      const isTracking = await this.#track()
      await this.#client.call('subscribe', messages, beats, ...(isTracking ? [trackingChannel] : []))
    } catch {
      // Asked again on the next connection; not at once, since a server may refuse for ever.
      this.#clock.after(rejoinMs, () => connection === this.#connections && this.#reopen()).unref()
      return
    }
    this.#heard.onGap()
    // Beats sent before this moment prove nothing: others may have spoken while we were away.
    this.#lastBeat = latestBeat()
    this.#joinedAt = this.#clock.monotonic()
    this.#isUp = true
    this.#heard.onJoin()
  }

  /** Redis is to tell this very connection of all writes. False where it refuses; messages are heard all the same. */
  async #track(): Promise<boolean> {
    const { prefixes } = this.#channels
    if (prefixes.length === 0) return false
    try {
      const id = Number(await this.#client.call('client', 'id'))
      const which = prefixes.flatMap((prefix) => ['prefix', prefix])
      await this.#client.call('client', 'tracking', 'on', 'redirect', id, 'bcast', ...which)
      return true
    } catch (failure) {
      if (!isReplyError(failure)) throw failure
      this.#heard.onUntracked(failure)
      return false
    }
  }

  #hear(channel: string, payload: unknown): void {
    if (!this.#isUp) return
    const { messages, beats } = this.#channels
    // What ioredis hands on: names in a list, or nothing when all are gone; else the text of a message.
    if (channel === trackingChannel) this.#heard.onWritten(payload as readonly Buffer[] | null)
    else if (channel === messages) this.#heard.onMessage(String(payload))
    else if (channel === beats) this.#hearBeat(String(payload))
  }

  #reopen(): void {
    this.#isUp = false
    if (!this.#isClosed) this.#client.disconnect(true)
  }

  #hearBeat(text: string): void {
    const [beat, sentAt] = text.split(' ').map(Number)
    if (beat! <= this.#lastBeat) return
    if (beat !== this.#lastBeat + 1) this.#heard.onGap()
    this.#lastBeat = beat!
    this.heardAt = sentAt!
    this.#heard.onBeat()
  }
}

function isReplyError(failure: unknown): boolean {
  return failure instanceof Error && failure.name === 'ReplyError'
}
