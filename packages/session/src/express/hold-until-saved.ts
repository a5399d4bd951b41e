import type { ServerResponse } from 'node:http'
import { type HeldRequest, HeldResponse } from './held-response.ts'

// The same in another copy of this package, so that the second of two mounts knows of the first.
const mark = Symbol.for('@stepladder/session: held response')

interface Marked extends ServerResponse {
  [mark]?: HeldResponse
}

/** Whether the response has its session already. */
export function isHeld(response: ServerResponse): boolean {
  return (response as Marked)[mark] !== undefined
}

/**
 * Lets nothing of the response go before its session is saved. The writers are the same functions for all responses: they
 * cost a request that saves nothing no more than four properties.
 */
export function holdUntilSaved(response: ServerResponse, request: HeldRequest): void {
  const marked: Marked = response
  marked[mark] = new HeldResponse(response, request)
  // One by one: an `Object.assign` would be slower, and this is done for each request.
  marked.writeHead = held.writeHead
  marked.write = held.write
  marked.end = held.end
  marked.flushHeaders = held.flushHeaders
}

// Their overloads say more than one signature can.
const held = {
  writeHead(this: Marked, ...args: unknown[]) {
    return this[mark]!.call('writeHead', args)
  },
  write(this: Marked, ...args: unknown[]) {
    return this[mark]!.call('write', args)
  },
  end(this: Marked, ...args: unknown[]) {
    return this[mark]!.call('end', args)
  },
  flushHeaders(this: Marked, ...args: unknown[]) {
    return this[mark]!.call('flushHeaders', args)
  },
} as unknown as Pick<ServerResponse, 'writeHead' | 'write' | 'end' | 'flushHeaders'>
