import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { DrainMoment } from './connection.ts'

/** The app may take so long to answer `Upgrade: ...`, and a client its goodbye, in milliseconds. */
const patienceMs = 2_000

const unavailable = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** FIN and opcode 8 (close), no mask, two bytes: 1001, "going away". RFC 6455, 5.5.1 and 7.4.1. */
const goingAway = Buffer.from([0x88, 0x02, 1001 >> 8, 1001 & 0xff])

/**
 * A connection that was HTTP/1 until its client asked for another protocol, and how it leaves:
 *
 *   asked --the app answers--> open --a close frame, if it is a WebSocket--> told --the client's--> closed, by the app
 *   asked --the app does not answer--> refused with 503 --> closed
 *                                       told --no answer--> closed
 *
 * The close frame goes straight onto the socket. That is allowed between any two frames, and the WebSocket
 * libraries write each frame in one go. The app sees the client close with code 1001. What it sends meanwhile, the
 * client ignores. A tunnel, of which only the app knows the language, lasts until the deadline.
 */
export class UpgradedSocket {
  readonly #socket: Socket
  readonly #isWebSocket: boolean
  readonly #bytesBefore: number
  #askedAt: number | undefined
  #toldAt: number | undefined

  constructor(socket: Socket, { headers }: IncomingMessage) {
    this.#socket = socket
    this.#isWebSocket = headers.upgrade?.toLowerCase() === 'websocket'
    this.#bytesBefore = socket.bytesWritten
  }

  leave({ now }: DrainMoment): void {
    this.#askedAt ??= now
    if (this.#toldAt !== undefined) {
      if (now >= this.#toldAt + patienceMs) this.#socket.destroy()
    } else if (this.#socket.bytesWritten === this.#bytesBefore) {
      if (now >= this.#askedAt + patienceMs) this.#tell(now, () => this.#socket.end(unavailable))
    } else if (this.#isWebSocket) {
      this.#tell(now, () => this.#socket.write(goingAway))
    }
  }

  #tell(now: number, write: () => void): void {
    this.#toldAt = now
    // All that can be wrong from here on is that the client has gone.
    this.#socket.on('error', () => {})
    if (this.#socket.writable) write()
  }
}
