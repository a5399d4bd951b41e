import type { ServerResponse } from 'node:http'

/**
 * Makes a response that is held back look as if its headers were sent, as Node's would after the same calls: an app that
 * asks before it answers a second time is told, and one that does not ask gets Node's error.
 *
 * By properties that stay when the response is sent, and show then what is. Those that come and go would make all later use
 * of the response slow (a write cost a third more), and another prototype costs as much as building a response does.
 *
 * `finished` stays Node's: a server that closes takes a connection for idle whose response says so, and cuts it.
 */
export class SentFace {
  isOn = true
  /** The response is ended, as far as the app knows. */
  isEnded = false
  readonly real: HeaderMethods
  readonly #response: Faced
  /** The status of the answer that is held; what is set later is not it. */
  #statusCode: number
  readonly #statusMessage: string | undefined

  constructor(response: ServerResponse) {
    const faced: Faced = response
    this.#response = faced
    this.#statusCode = faced.statusCode
    this.#statusMessage = statusMessageOf(faced)
    const before = faced[faceMark]
    this.real = before?.real ?? new HeaderMethods(faced)
    faced[faceMark] = this
    if (!before) putOn(faced)
  }

  end(): void {
    this.isEnded = true
  }

  /** The held answer has a head of its own. */
  keepStatus(status: number): void {
    this.#statusCode = status
  }

  /** Lets the response be what it is. */
  remove(): void {
    const response = this.#response
    this.isOn = false
    response.statusCode = this.#statusCode
    // Undefined is what Node begins with, and takes for: as the status has it.
    if (statusMessageOf(response) !== this.#statusMessage)
      response.statusMessage = this.#statusMessage as string
  }
}

const faceMark = Symbol('@stepladder/session: what it looks like')

interface Faced extends ServerResponse {
  [faceMark]?: SentFace
}

/** Those of HTTP/2 have none, and warn whoever asks. */
function statusMessageOf(response: ServerResponse): string | undefined {
  return Object.hasOwn(response, 'statusMessage') ? response.statusMessage : undefined
}

/** A response's methods that change its headers: Node's, or those of middleware that came before. */
class HeaderMethods {
  readonly setHeader: ServerResponse['setHeader']
  readonly setHeaders: ServerResponse['setHeaders']
  readonly appendHeader: ServerResponse['appendHeader']
  readonly removeHeader: ServerResponse['removeHeader']

  constructor(response: ServerResponse) {
    this.setHeader = response.setHeader
    this.setHeaders = response.setHeaders
    this.appendHeader = response.appendHeader
    this.removeHeader = response.removeHeader
  }
}

/** Properties that middleware has given the response for its own stay as they are, and those of HTTP/2 have no `setHeaders`. */
function putOn(response: ServerResponse): void {
  if (!Object.hasOwn(response, 'headersSent')) Object.defineProperty(response, 'headersSent', headersSentFace)
  if (!Object.hasOwn(response, 'writableEnded'))
    Object.defineProperty(response, 'writableEnded', writableEndedFace)
  response.setHeader = headerMethods.setHeader
  if ('setHeaders' in response) response.setHeaders = headerMethods.setHeaders
  response.appendHeader = headerMethods.appendHeader
  response.removeHeader = headerMethods.removeHeader
}

// The same for all responses, so that those look alike to the engine.
const headersSentFace = seen('headersSent', () => true)
const writableEndedFace = seen('writableEnded', ({ isEnded }) => isEnded)
const headerMethods = {
  setHeader: refused('setHeader', 'set'),
  setHeaders: refused('setHeaders', 'set'),
  appendHeader: refused('appendHeader', 'set'),
  removeHeader: refused('removeHeader', 'remove'),
} as unknown as HeaderMethods // their overloads say more than one signature can

function seen(name: string, shown: (face: SentFace) => boolean): PropertyDescriptor {
  const get = function (this: Faced): unknown {
    const face = this[faceMark]
    return face?.isOn ? shown(face) : Reflect.get(Object.getPrototypeOf(this) as object, name, this)
  }
  return { get, configurable: true }
}

function refused(name: keyof HeaderMethods, verb: 'set' | 'remove'): (...args: unknown[]) => unknown {
  return function (this: Faced, ...args: unknown[]): unknown {
    const face = this[faceMark]!
    if (face.isOn) throw headersSent(verb)
    return Reflect.apply(face.real[name], this, args)
  }
}

/** Node's own error, which apps know by its code. */
export function headersSent(verb: 'set' | 'remove' | 'write'): Error {
  const failure = new Error(`Cannot ${verb} headers after they are sent to the client`)
  return Object.assign(failure, { code: 'ERR_HTTP_HEADERS_SENT' })
}
