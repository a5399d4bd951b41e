import type { ServerResponse } from 'node:http'

/**
 * Makes a response that is held back look as if its headers were sent, as Node's would after the same calls: an app that
 * asks before it answers a second time is told, and one that does not ask gets Node's error.
 *
 * By another prototype, as Express itself does with each response: properties of its own that come and go would make
 * every later use of the response slow, and a write cost a third more.
 */
export class SentFace {
  readonly #response: ServerResponse
  readonly #prototype: object
  /** The status of the answer that is held; what is set later is not it. */
  #statusCode: number
  readonly #statusMessage: string | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    // What a response inherits from is an object.
    this.#prototype = Object.getPrototypeOf(response) as object
    this.#statusCode = response.statusCode
    this.#statusMessage = statusMessageOf(response)
    Object.setPrototypeOf(response, faceOf(this.#prototype))
  }

  /** The response is ended, as far as the app knows. */
  end(): void {
    this.#setEnded(true)
  }

  /** The held answer has a head of its own. */
  keepStatus(status: number): void {
    this.#statusCode = status
  }

  /** Lets the response be what it is. */
  remove(): void {
    const response = this.#response
    this.#setEnded(false)
    Object.setPrototypeOf(response, this.#prototype)
    response.statusCode = this.#statusCode
    // Undefined is what Node begins with, and takes for: as the status has it.
    if (statusMessageOf(response) !== this.#statusMessage)
      response.statusMessage = this.#statusMessage as string
  }

  #setEnded(isEnded: boolean): void {
    const response: Faced = this.#response
    response[endedMark] = isEnded
    // Those of HTTP/1 have it for their own, and `writableEnded` says the same.
    if (Object.hasOwn(response, 'finished')) Object.assign(response, { finished: isEnded })
  }
}

const endedMark = Symbol('@stepladder/session: ended while it is held back')

interface Faced extends ServerResponse {
  [endedMark]?: boolean
}

/** Those of HTTP/2 have none, and warn whoever asks. */
function statusMessageOf(response: ServerResponse): string | undefined {
  return Object.hasOwn(response, 'statusMessage') ? response.statusMessage : undefined
}

const faces = new WeakMap<object, object>()

/** The same for all responses of one app. */
function faceOf(prototype: object): object {
  const known = faces.get(prototype)
  if (known) return known
  const face = Object.create(prototype, {
    headersSent: { get: () => true, configurable: true },
    writableEnded: { get: isEnded, configurable: true },
    finished: { get: isEnded, set: () => {}, configurable: true },
    setHeader: refusal('set'),
    setHeaders: refusal('set'),
    appendHeader: refusal('set'),
    removeHeader: refusal('remove'),
  }) as object
  faces.set(prototype, face)
  return face
}

function isEnded(this: Faced): boolean {
  return this[endedMark] ?? false
}

function refusal(verb: 'set' | 'remove'): PropertyDescriptor {
  const value = () => {
    throw headersSent(verb)
  }
  return { value, configurable: true, writable: true }
}

/** Node's own error, which apps know by its code. */
export function headersSent(verb: 'set' | 'remove' | 'write'): Error {
  const failure = new Error(`Cannot ${verb} headers after they are sent to the client`)
  return Object.assign(failure, { code: 'ERR_HTTP_HEADERS_SENT' })
}
