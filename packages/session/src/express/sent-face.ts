import type { ServerResponse } from 'node:http'

/**
 * Makes a response that is held back look as if its headers were sent, as Node's would after the same calls: an app that
 * asks before it answers a second time is told, and one that does not ask gets Node's error.
 */
export class SentFace {
  isEnded = false
  /** The status of the answer that is held; what is set later is not it. */
  statusCode: number
  readonly #response: ServerResponse
  readonly #covered: [name: string, own: PropertyDescriptor | undefined][] = []

  constructor(response: ServerResponse) {
    this.#response = response
    this.statusCode = response.statusCode
    // Those of HTTP/2 have none, and warn whoever asks.
    const message = Object.hasOwn(response, 'statusMessage') ? response.statusMessage : undefined
    this.#cover('headersSent', { get: () => true })
    this.#cover('writableEnded', { get: () => this.isEnded })
    this.#cover('finished', { get: () => this.isEnded })
    this.#cover('statusCode', { get: () => this.statusCode, set: () => {} })
    this.#cover('statusMessage', { get: () => message, set: () => {} })
    for (const name of ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader']) {
      const value = () => {
        throw headersSent(name === 'removeHeader' ? 'remove' : 'set')
      }
      this.#cover(name, { value })
    }
  }

  /** Lets the response be what it is. */
  remove(): void {
    const response = this.#response
    for (const [name, own] of this.#covered) {
      if (own) Object.defineProperty(response, name, own)
      else Reflect.deleteProperty(response, name)
    }
  }

  #cover(name: string, by: PropertyDescriptor): void {
    this.#covered.push([name, Object.getOwnPropertyDescriptor(this.#response, name)])
    Object.defineProperty(this.#response, name, { ...by, configurable: true })
  }
}

/** Node's own error, which apps know by its code. */
export function headersSent(verb: 'set' | 'remove' | 'write'): Error {
  const failure = new Error(`Cannot ${verb} headers after they are sent to the client`)
  return Object.assign(failure, { code: 'ERR_HTTP_HEADERS_SENT' })
}
