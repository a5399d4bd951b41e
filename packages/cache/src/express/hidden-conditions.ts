import type { IncomingHttpHeaders } from 'node:http'
import { conditionalHeaders } from './preconditions.ts'

/**
 * Takes the conditions of one client out of its request while a handler answers it for all: a handler that saw them
 * would answer 304, and nobody else had a body.
 */
export class HiddenConditions {
  readonly conditions: IncomingHttpHeaders = {}
  readonly #headers: IncomingHttpHeaders

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers
    for (const name of conditionalHeaders) {
      if (headers[name] === undefined) continue
      this.conditions[name] = headers[name]
      delete headers[name]
    }
  }

  restore(): void {
    Object.assign(this.#headers, this.conditions)
  }
}
