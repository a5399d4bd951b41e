import { type Clock, type RedisClient, type RedisHeard, RedisListener } from '@stepladder/core'

export interface Heard extends Required<Pick<RedisHeard, 'onRefused' | 'onWritten'>> {
  /** Which was sent last. */
  latestBeat(): number
  /** The connection listens, from now on. */
  onJoin(): void
  /** Everything that was published and written up to now may have been missed. */
  onGap(): void
  onMessage(text: string): void
  /** A beat came: how much is trusted may have changed. */
  onBeat(): void
}

export interface Channels {
  readonly messages: string
  readonly beats: string
  /** What the names of keys of interest begin with; none where writes are not asked for. */
  readonly prefixes: readonly string[]
}

/** What one server tells: messages, what is written, and the beats that prove that nothing of it was missed. */
export class RedisSubscription {
  /** By the monotonic clock: when the last beat that came back was sent. */
  heardAt: number = Number.NEGATIVE_INFINITY
  readonly #heard: Heard
  readonly #clock: Clock
  readonly #listener: RedisListener
  #lastBeat = 0

  /** Takes over the connection. */
  constructor(connection: RedisClient, { messages, beats, prefixes }: Channels, heard: Heard, clock: Clock) {
    this.#heard = heard
    this.#clock = clock
    // Messages carry the contract; what nobody says is heard in addition, where the server tells of it.
    const options = { channels: [messages, beats], prefixes, channelsAlone: true, clock }
    this.#listener = new RedisListener(connection, options, {
      onUp: () => this.#join(),
      onMessage: (channel, text) => (channel === beats ? this.#hearBeat(text) : heard.onMessage(text)),
      onWritten: (names) => heard.onWritten(names),
      onRefused: (what, cause) => heard.onRefused(what, cause),
    })
  }

  /** Makes a connection anew that brought nothing for so long, though it is open. */
  reopenIfSilent(forMs: number): void {
    const { upSince } = this.#listener
    if (upSince === undefined) return
    if (this.#clock.monotonic() - Math.max(this.heardAt, upSince) > forMs) this.#listener.reopen()
  }

  close(): void {
    this.heardAt = Number.NEGATIVE_INFINITY
    this.#listener.close()
  }

  #join(): void {
    this.#heard.onGap()
    // Beats sent before this moment prove nothing: others may have spoken while we were away.
    this.#lastBeat = this.#heard.latestBeat()
    this.#heard.onJoin()
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
