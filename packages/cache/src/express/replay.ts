import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { addVary } from './header-changes.ts'
import { isNotModified } from './preconditions.ts'
import type { StoredResponse } from './stored-response.ts'

/** Who is to get a stored response. */
export interface Recipient {
  readonly method?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** Sends a stored response, or 304 where the client's copy is as good. `now` is in milliseconds since the epoch. */
export function replay(stored: StoredResponse, to: Recipient, response: ServerResponse, now: number): void {
  for (const name of stored.removed) response.removeHeader(name)
  const date = new Date(stored.createdAt - stored.ageMs).toUTCString()
  const ageMs = Math.max(0, now - stored.createdAt) + stored.ageMs
  response.statusCode = stored.status
  response.statusMessage = stored.reason
  // A copy of each list: `appendHeader` adds to the one that it finds, and this one is everybody's.
  for (const [name, value] of stored.headers)
    response.setHeader(name, typeof value === 'string' ? value : [...value])
  addVary(response, stored.vary)
  // Of middleware before this one, for this client: no CDN may keep it.
  if (response.hasHeader('set-cookie')) response.setHeader('Cache-Control', 'private, no-store')
  response.setHeader('Date', date)
  response.setHeader('Age', Math.floor(ageMs / 1_000))
  if (isSuccess(stored.status) && isNotModified(to.headers, { ...validators(stored), date })) {
    toNotModified(response)
    response.end()
    return
  }
  if (stored.status !== 204) response.setHeader('Content-Length', stored.body.length)
  if (to.method === 'HEAD') response.end()
  else response.end(stored.body)
}

/** Makes 304 of what is about to be sent; of its headers only those stay that say something of the client's copy. */
export function toNotModified(response: ServerResponse): void {
  response.statusCode = 304
  response.statusMessage = ''
  for (const name of response.getHeaderNames()) {
    const isOfBody =
      name.startsWith('content-') && name !== 'content-location' && !name.startsWith('content-security-')
    if (isOfBody || name === 'transfer-encoding') response.removeHeader(name)
  }
}

/** Preconditions count where the answer would be a success (RFC 9110, 13.2.1). */
export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299
}

function validators({ etag, lastModified }: StoredResponse) {
  return { etag, lastModified: lastModified ?? undefined }
}
