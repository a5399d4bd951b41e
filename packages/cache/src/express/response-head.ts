import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { explicitFreshnessMs, mustRevalidate, readCacheControl, writeCacheControl } from './cache-control.ts'
import { strongEtag } from './etag.ts'
import { addVary, type HeaderChanges, headerChanges, listed, members } from './header-changes.ts'
import { personalHeaders } from './personal-headers.ts'
import type { ResponseRules } from './response-rules.ts'
import { writeSurrogateKeys } from './surrogate-keys.ts'
import { text } from './verdict.ts'

/** What of a response that may be kept is known before its body. */
export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly changes: HeaderChanges
  /** Names for `Vary` that were not there before the handler. */
  readonly vary: readonly string[]
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  readonly contentLength: number | undefined
  readonly ageMs: number
  /** How long the app itself says that it holds. */
  readonly freshMs: number | undefined
  readonly mustRevalidate: boolean
  /** As it is sent. */
  readonly cacheControl: string | undefined
}

/**
 * Completes the headers of a response that may be kept, and takes note of them. Where `whole` is the body, the client
 * that asked first gets its entity tag too; that of a stream is known only when it is over.
 */
export function completeHead(
  response: ServerResponse,
  before: OutgoingHttpHeaders,
  { rules, tags, whole }: { rules: ResponseRules; tags: readonly string[]; whole: Buffer | undefined },
): ResponseHead {
  const { 'cache-control': control, expires, age, 'content-length': length } = response.getHeaders()
  const directives = readCacheControl(text(control))
  const freshMs = explicitFreshnessMs(directives, text(expires), rules.clock.now())
  if (control === undefined && expires === undefined) response.setHeader('Cache-Control', advice(rules))
  addVary(response, rules.varied)
  if (rules.surrogateKeys) writeSurrogateKeys(response, tags)
  if (whole && !response.hasHeader('etag')) response.setHeader('ETag', strongEtag(whole))
  const outer = listed(before.vary)
  const changes = headerChanges(before, response)
  // The cookie is for this client: no CDN may keep what carries it. What is kept here carries none.
  if (response.hasHeader('set-cookie')) response.setHeader('Cache-Control', 'private, no-store')
  return {
    ...{ status: response.statusCode, reason: response.statusMessage ?? '', freshMs, changes },
    vary: members(response.getHeader('vary')).filter((name) => !outer.includes(name.toLowerCase())),
    etag: text(response.getHeader('etag')),
    lastModified: text(response.getHeader('last-modified')),
    contentLength: length === undefined ? undefined : Number(length),
    ageMs: Number(age) > 0 ? Number(age) * 1_000 : 0,
    mustRevalidate: mustRevalidate(directives),
    cacheControl: text(response.getHeader('cache-control')),
  }
}

function advice(rules: ResponseRules): string {
  return writeCacheControl({ ...rules, isPrivate: rules.varied.some((name) => personalHeaders.has(name)) })
}
