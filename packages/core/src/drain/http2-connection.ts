import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Connection, DrainMoment } from './connection.ts'
import { endIfHttp2EventStream } from './event-streams.ts'

/** A client that has connected during the drain may take so long for its first request, in milliseconds. */
const leastRestMs = 500

/**
 * One connection of an HTTP/2 client, and how it leaves:
 *
 *   open --GOAWAY--> leaving --the last stream has ended--> closed, by Node
 *
 * GOAWAY names the last stream that is served, so a client knows which of its requests to send again. A client that
 * has only just connected may bring its first request, which costs it less than to be refused.
 */
export class Http2Connection implements Connection {
  readonly #session: ServerHttp2Session
  readonly #streams = new Set<ServerHttp2Stream>()
  #hasServed = false
  #since: number | undefined

  constructor(session: ServerHttp2Session) {
    this.#session = session
    session.on('stream', (stream) => {
      this.#hasServed = true
      this.#streams.add(stream)
      stream.once('close', () => this.#streams.delete(stream))
    })
  }

  leave({ now, freshUntil }: DrainMoment): void {
    for (const stream of this.#streams) endIfHttp2EventStream(stream)
    this.#since ??= now
    // A second call does nothing.
    if (this.#hasServed || now >= Math.max(freshUntil, this.#since + leastRestMs)) this.#session.close()
  }

  cut(): void {
    this.#session.destroy()
  }
}
