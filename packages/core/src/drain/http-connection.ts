import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Connection, DrainMoment } from './connection.ts'
import { endIfEventStream } from './event-streams.ts'
import { closeAfterLast } from './last-answer.ts'
import { UpgradedSocket } from './upgraded-socket.ts'

/** A client that has sent part of a head is waited for so long, in milliseconds. */
const headMs = 2_000
/** At least so long a client may take for its next request, or to read why it is refused, in milliseconds. */
const leastRestMs = 500

const requestTimeout = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * One connection of an HTTP/1 client, and how it leaves:
 *
 *   answering --the answer says `Connection: close`--> closed, by Node
 *   answering --an event stream--> ended by us --> closed, or resting
 *   answering --it said otherwise, before the drain--> resting
 *   resting   --passed on--> another worker's
 *   resting   --a request--> answering
 *   resting   --for as long as it may--> closed
 *   resting   --part of a head--> in head --the rest of it--> answering
 *                                         --no end of it--> refused with 408 --> closed
 *   any       --upgrade--> see UpgradedSocket
 */
export class HttpConnection implements Connection {
  readonly #server: Server
  readonly #socket: Socket
  /** In the order of their requests: a client may send the next one before it has its answer. */
  readonly #unanswered: ServerResponse[] = []
  /** The last request, if it was answered before its body had come in full. */
  #unread: IncomingMessage | undefined
  /** What had come in when nothing was under way any more; what is more belongs to the next request. */
  #bytesRead: number
  #hasServed = false
  #hasPipelined = false
  #isLeaving = false
  #isPassed = false
  #restsSince: number | undefined
  #headSince: number | undefined
  #isRefused = false
  #upgraded: UpgradedSocket | undefined

  constructor(server: Server, socket: Socket) {
    this.#server = server
    this.#socket = socket
    this.#bytesRead = socket.bytesRead
  }

  /** A request has come in; the app has not heard of it yet. */
  begin(response: ServerResponse): void {
    if (this.#unanswered.push(response) > 1) this.#hasPipelined = true
    if (!this.#isLeaving) return
    this.#restsSince = undefined
    this.#headSince = undefined
    this.#closeAfter(response)
  }

  finish(response: ServerResponse): void {
    // The answers go out in the order of their requests.
    this.#unanswered.shift()
    this.#unread = hasBodyToCome(response.req) ? response.req : undefined
    this.#bytesRead = this.#socket.bytesRead
    this.#hasServed = true
  }

  upgrade(request: IncomingMessage): void {
    this.#upgraded = new UpgradedSocket(this.#socket, request)
  }

  /** From now on every answer that has not begun is the last one. */
  sendAway(): void {
    this.#isLeaving = true
    for (const response of this.#unanswered) this.#closeAfter(response)
  }

  leave(moment: DrainMoment): void {
    for (const response of this.#unanswered) endIfEventStream(response)
    if (this.#upgraded) this.#upgraded.leave(moment)
    else if (this.#unanswered.length === 0 && !this.#isPassed) this.#leaveResting(moment)
  }

  cut(): void {
    this.#socket.destroy()
  }

  /** Not after one whose client has sent, or is sending, more: Node would not read that, and lose the answer with it. */
  #closeAfter(response: ServerResponse): void {
    closeAfterLast(response, () => this.#unanswered.at(-1) === response && !hasBodyToCome(response.req))
  }

  #leaveResting(moment: DrainMoment): void {
    this.#restsSince ??= moment.now
    if (this.#unread?.complete) {
      this.#unread = undefined
      this.#bytesRead = this.#socket.bytesRead
    }
    if (this.#unread) this.#leaveInTime(this.#restsSince, moment)
    else if (this.#socket.bytesRead > this.#bytesRead) this.#leaveInHead(moment.now)
    else if (this.#mayPass && moment.passOn?.(this.#server, this.#socket)) this.#isPassed = true
    else this.#leaveInTime(this.#restsSince, moment)
  }

  /** Where a client sends requests ahead, what was read may be the beginning of one. */
  get #mayPass(): boolean {
    return !this.#hasPipelined && this.#socket.writable
  }

  #leaveInTime(since: number, { now, freshUntil, idleUntil }: DrainMoment): void {
    if (now >= Math.max(this.#hasServed ? idleUntil : freshUntil, since + leastRestMs)) this.cut()
  }

  #leaveInHead(now: number): void {
    this.#headSince ??= now
    if (now < this.#headSince + headMs) return
    if (!this.#isRefused) this.#socket.end(requestTimeout)
    else if (now >= this.#headSince + headMs + leastRestMs) this.cut()
    this.#isRefused = true
  }
}

/** One without a body is not `complete` either while the app hears of it. */
function hasBodyToCome({ complete, headers }: IncomingMessage): boolean {
  return (
    !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
  )
}
