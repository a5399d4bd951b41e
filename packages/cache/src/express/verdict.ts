import type { OutgoingHttpHeaders } from 'node:http'
import { type Directives, readCacheControl } from './cache-control.ts'
import { listed } from './header-changes.ts'

/** Why a response is not kept. */
export type Refusal =
  | 'status'
  | 'set-cookie'
  | 'cache-control'
  | 'vary'
  | 'partial'
  | 'endless'
  | 'personal'
  | 'size'
  | 'incomplete'
  | 'slow'
  | 'ttl'

/** What is known when the headers of a response are about to be sent. */
export interface Candidate {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  /** The headers when the handler was called: those of middleware before it. */
  readonly before: OutgoingHttpHeaders
}

export interface Rules {
  readonly statuses: ReadonlySet<number>
  /** Headers that are in the key, in small letters. */
  readonly keyed: ReadonlySet<string>
  readonly stripSetCookie: boolean
}

/** Why a response with these headers must not be kept; undefined: it may be. */
export function refusalOf({ status, headers, before }: Candidate, rules: Rules): Refusal | undefined {
  if (!rules.statuses.has(status)) return 'status'
  if (headers['content-range'] !== undefined || status === 206) return 'partial'
  if (headers['set-cookie'] !== undefined && !rules.stripSetCookie) return 'set-cookie'
  if (forbidsKeeping(readCacheControl(text(headers['cache-control'])))) return 'cache-control'
  if (unkeyedVary(headers, before, rules.keyed) !== undefined) return 'vary'
  // Nobody could wait for its end, nor can trailers be told again.
  if (/^(text\/event-stream|multipart\/)/i.test(text(headers['content-type']) ?? '')) return 'endless'
  if (headers.trailer !== undefined) return 'endless'
  return undefined
}

export function forbidsKeeping(directives: Directives): boolean {
  return directives.has('private') || directives.has('no-store') || directives.has('no-cache')
}

/** Handed on by their own middleware for each client, so that what the handler wrote does not depend on them. */
const ofOuterLayers = ['origin', 'accept-encoding']

/** A header that the response depends on and the key does not know. */
function unkeyedVary(
  headers: OutgoingHttpHeaders,
  before: OutgoingHttpHeaders,
  keyed: ReadonlySet<string>,
): string | undefined {
  const outer = listed(before.vary).filter((name) => ofOuterLayers.includes(name))
  return listed(headers.vary).find((name) => !keyed.has(name) && !outer.includes(name))
}

export function text(header: OutgoingHttpHeaders[string]): string | undefined {
  return header === undefined ? undefined : String(header)
}
