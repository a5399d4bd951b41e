import type { Clock } from '../clock.ts'
import type { RedisClient } from '../redis.ts'

/** Names as Redis knows them: what the app's client puts before keys is part of them. */
export interface RedisListenerOptions {
  readonly channels: readonly string[]
  /** With what the keys begin whose writes are to be told of; none: of no writes. */
  readonly prefixes: readonly string[]
  /** Whether the channels are of use without the writes, where the server refuses to tell of these. Default false. */
  readonly channelsAlone?: boolean | undefined
  readonly clock: Clock
}

export interface RedisHeard {
  /** The connection listens from now on; whatever was said before may have been missed. */
  onUp(): void
  /** It does not, from now on. */
  onDown?(): void
  onMessage(channel: string, text: string): void
  /** Which keys were written, by whoever; null for all of them. */
  onWritten(names: readonly Buffer[] | null): void
  /** The server refuses one of the two, and says why. It is asked again on each connection. */
  onRefused?(what: 'channels' | 'writes', cause: Error): void
}

/** Where Redis tells which keys were written, to who has asked for it in the second version of its protocol. */
const trackingChannel = '__redis__:invalidate'

const rejoinMs = 250

/**
 * One connection to one server that does nothing but listen: to channels, and to what is written (CLIENT TRACKING in
 * broadcast mode). Redis keeps the order of what it tells one connection. Whatever was asked for ends with the
 * connection, so it is asked for on each, for ever:
 *
 *     down ──ready, TRACKING and SUBSCRIBE answered──▶ up ──connection closed──▶ down
 */
export class RedisListener {
  readonly #connection: RedisClient
  readonly #options: RedisListenerOptions
  readonly #heard: RedisHeard
  #upSince: number | undefined
  /** How many there have been. */
  #connections = 0
  #isClosed = false

  /** Takes over a connection that is not made yet, as `RedisListeners` hands it out, and makes it. */
  constructor(connection: RedisClient, options: RedisListenerOptions, heard: RedisHeard) {
    this.#connection = connection
    this.#options = options
    this.#heard = heard
    // What fails is not heard, and that is the news.
    connection.on('error', () => {})
    connection.on('messageBuffer', (channel, payload) => this.#hear(String(channel), payload))
    connection.on('close', () => this.#leave())
    connection.on('ready', () => void this.#join())
    connection.on('end', () => this.#connectAgain())
    this.#connect()
  }

  /** By the monotonic clock; undefined while it does not listen. */
  get upSince(): number | undefined {
    return this.#upSince
  }

  /** Makes the connection anew: one whose other end is gone without a word stays open for a quarter of an hour. */
  reopen(): void {
    this.#leave()
    if (!this.#isClosed) this.#connection.disconnect(true)
  }

  close(): void {
    this.#isClosed = true
    this.#leave()
    this.#connection.disconnect()
  }

  #connect(): void {
    // ioredis tries again by itself, and `ready` tells.
    this.#connection.connect().catch(() => {})
  }

  /** ioredis gives up for good where sentinels tell of a new master while it asks them for one. */
  #connectAgain(): void {
    if (this.#isClosed) return
    this.#leave()
    this.#options.clock.after(rejoinMs, () => this.#isClosed || this.#connect()).unref()
  }

  async #join(): Promise<void> {
    const connection = ++this.#connections
    const { clock } = this.#options
    // What fails otherwise than by a refusal is the connection, most likely; a new one is asked again.
    const isListening = await this.#askForAll().catch(() => false)
    if (this.#isClosed) return
    if (isListening) {
      this.#upSince = clock.monotonic()
      this.#heard.onUp()
    } else {
      // Not at once: a server may refuse for ever.
      clock.after(rejoinMs, () => connection === this.#connections && this.reopen()).unref()
    }
  }

  /** False where the server refuses what is needed. */
  async #askForAll(): Promise<boolean> {
    const { channels, prefixes, channelsAlone = false } = this.#options
    const wantsWrites = prefixes.length > 0
    // Before the connection subscribes to anything: then it may not ask any more.
    const isTold = wantsWrites && (await this.#ask('writes', () => this.#track(prefixes)))
    if (wantsWrites && !isTold && !channelsAlone) return false
    const all = isTold ? [...channels, trackingChannel] : channels
    return this.#ask('channels', () => this.#connection.call('subscribe', ...all))
  }

  /** Redis is to tell this very connection of all writes. */
  async #track(prefixes: readonly string[]): Promise<void> {
    const id = Number(await this.#connection.call('client', 'id'))
    const which = prefixes.flatMap((prefix) => ['prefix', prefix])
    await this.#connection.call('client', 'tracking', 'on', 'redirect', id, 'bcast', ...which)
  }

  async #ask(what: 'channels' | 'writes', ask: () => Promise<unknown>): Promise<boolean> {
    try {
      await ask()
      return true
    } catch (failure) {
      if (!isReplyError(failure)) throw failure
      this.#heard.onRefused?.(what, failure)
      return false
    }
  }

  #hear(channel: string, payload: unknown): void {
    if (this.#upSince === undefined) return
    // What ioredis hands on: names in a list, or nothing when all are gone; else the text of a message.
    if (channel === trackingChannel) this.#heard.onWritten(payload as readonly Buffer[] | null)
    else this.#heard.onMessage(channel, String(payload))
  }

  #leave(): void {
    this.#upSince = undefined
    this.#heard.onDown?.()
  }
}

function isReplyError(failure: unknown): failure is Error {
  return failure instanceof Error && failure.name === 'ReplyError'
}
