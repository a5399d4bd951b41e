import { type Clock, type RedisClient, type RedisHeard, RedisListener } from '@stepladder/core'

export interface Heard extends Required<Pick<RedisHeard, 'onWritten' | 'onRefused'>> {
  /** The connection listens from now on; what was said before may have been missed. */
  onJoin(): void
  /** A beat came, or the connection went: how much may be trusted is another. */
  onTrust(): void
}

export interface Channels {
  readonly beats: string
  /** What the keys of all records begin with. */
  readonly prefix: string
}

/** What one server tells: what is written, and the beats that prove that nothing of it was missed. */
export class ServerFeed {
  /** By the monotonic clock: when the last beat that came back was sent. */
  heardAt: number = Number.NEGATIVE_INFINITY
  readonly #listener: RedisListener

  /** Takes over the connection. */
  constructor(connection: RedisClient, { beats, prefix }: Channels, heard: Heard, clock: Clock) {
    const options = { channels: [beats], prefixes: [prefix], clock }
    this.#listener = new RedisListener(connection, options, {
      onUp: () => heard.onJoin(),
      onDown: () => {
        this.heardAt = Number.NEGATIVE_INFINITY
        heard.onTrust()
      },
      onMessage: (_beats, sentAt) => {
        this.heardAt = Math.max(this.heardAt, Number(sentAt))
        heard.onTrust()
      },
      onWritten: (names) => heard.onWritten(names),
      onRefused: (what, cause) => heard.onRefused(what, cause),
    })
  }

  /** Makes a connection anew that brought nothing for so long, though the server was there at `publishedAt`. */
  reopenIfSilent(forMs: number, publishedAt: number): void {
    const { upSince } = this.#listener
    if (upSince === undefined) return
    if (publishedAt - Math.max(this.heardAt, upSince) > forMs) this.#listener.reopen()
  }

  close(): void {
    this.#listener.close()
  }
}
