import type { IncomingHttpHeaders } from 'node:http'

/** What a client may compare its copy with. */
export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** When the response was made: stands in for a modification date that it does not have. */
  readonly date: string | undefined
}

/** Headers by which a client asks whether its copy still holds; the handler must not answer them, or nobody gets a body to store. */
export const conditionalHeaders = ['if-none-match', 'if-modified-since'] as const

/** True where the client's copy is as good: the answer is 304 (RFC 9110, 13.1 and 13.2). */
export function isNotModified(
  conditions: IncomingHttpHeaders,
  { etag, lastModified, date }: Validators,
): boolean {
  const noneMatch = conditions['if-none-match']
  // An entity tag says more than a date, which then counts for nothing.
  if (noneMatch !== undefined) return matches(noneMatch, etag)
  const since = conditions['if-modified-since']
  const modified = lastModified ?? date
  if (since === undefined || modified === undefined) return false
  return Date.parse(modified) <= Date.parse(since) // false when either is no date
}

/** Compares weakly, as If-None-Match does: `W/"1"` and `"1"` are the same. */
function matches(list: string, etag: string | undefined): boolean {
  if (list.trim() === '*') return true
  if (etag === undefined) return false
  const opaque = withoutWeakness(etag)
  return list.match(/(?:W\/)?"[^"]*"/g)?.some((candidate) => withoutWeakness(candidate) === opaque) ?? false
}

function withoutWeakness(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}
