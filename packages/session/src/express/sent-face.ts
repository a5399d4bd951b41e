import type { ServerResponse } from 'node:http'

/**
 * Makes a response that is held back look as if its headers were sent, as Node's would after the same calls: an app that
 * asks before it answers a second time is told, and one that does not ask gets Node's error.
 *
 * By another prototype, as Express itself does with each response: properties of its own that come and go would make
 * every later use of the response slow, and a write cost a third more. It stays when the response is sent, and shows what is.
 */
export class SentFace {
  isOn = true
  /** The response is ended, as far as the app knows. */
  isEnded = false
  readonly #response: Faced
  /** The status of the answer that is held; what is set later is not it. */
  #statusCode: number
  readonly #statusMessage: string | undefined

  constructor(response: ServerResponse) {
    const faced: Faced = response
    this.#response = faced
    this.#statusCode = faced.statusCode
    this.#statusMessage = statusMessageOf(faced)
    faced[faceMark] = this
    // Express gives it back its former prototype where an app that was mounted in another passes a request on.
    if (!faced[hasFace]) Object.setPrototypeOf(faced, faceOf(Object.getPrototypeOf(faced)))
  }

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
    this.isOn = false
    this.#setEnded(false)
    response.statusCode = this.#statusCode
    // Undefined is what Node begins with, and takes for: as the status has it.
    if (statusMessageOf(response) !== this.#statusMessage)
      response.statusMessage = this.#statusMessage as string
  }

  #setEnded(isEnded: boolean): void {
    this.isEnded = isEnded
    // Those of HTTP/1 have it for their own, and `writableEnded` says the same.
    const response: { finished: boolean } = this.#response
    if (Object.hasOwn(response, 'finished')) response.finished = isEnded
  }
}

const faceMark = Symbol('@stepladder/session: what it looks like')
const hasFace = Symbol('@stepladder/session: has another face')

interface Faced extends ServerResponse {
  [faceMark]?: SentFace
  readonly [hasFace]?: true
}

/** Those of HTTP/2 have none, and warn whoever asks. */
function statusMessageOf(response: ServerResponse): string | undefined {
  return Object.hasOwn(response, 'statusMessage') ? response.statusMessage : undefined
}

const faces = new WeakMap<object, object>()

/** The same for all responses of one app. */
function faceOf(base: object): object {
  const known = faces.get(base)
  if (known) return known
  const face = Object.create(base, {
    [hasFace]: { value: true },
    headersSent: seen(base, 'headersSent', () => true),
    writableEnded: seen(base, 'writableEnded', ({ isEnded }) => isEnded),
    finished: { ...seen(base, 'finished', ({ isEnded }) => isEnded), set: () => {} },
    setHeader: refused(base, 'setHeader', 'set'),
    setHeaders: refused(base, 'setHeaders', 'set'),
    appendHeader: refused(base, 'appendHeader', 'set'),
    removeHeader: refused(base, 'removeHeader', 'remove'),
  }) as object
  faces.set(base, face)
  return face
}

function seen(base: object, name: string, shown: (face: SentFace) => boolean): PropertyDescriptor {
  const get = function (this: Faced): unknown {
    const face = this[faceMark]
    return face?.isOn ? shown(face) : Reflect.get(base, name, this)
  }
  return { get, configurable: true }
}

function refused(base: object, name: string, verb: 'set' | 'remove'): PropertyDescriptor {
  const value = function (this: Faced, ...args: unknown[]): unknown {
    if (this[faceMark]?.isOn) throw headersSent(verb)
    // A method, by its name.
    return (Reflect.get(base, name, this) as (...args: unknown[]) => unknown).apply(this, args)
  }
  return { value, configurable: true, writable: true }
}

/** Node's own error, which apps know by its code. */
export function headersSent(verb: 'set' | 'remove' | 'write'): Error {
  const failure = new Error(`Cannot ${verb} headers after they are sent to the client`)
  return Object.assign(failure, { code: 'ERR_HTTP_HEADERS_SENT' })
}
