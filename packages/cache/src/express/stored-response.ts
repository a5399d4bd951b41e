import { validateHeaderName, validateHeaderValue } from 'node:http'
import { parseDuration } from '@stepladder/core'
import { strongEtag } from './etag.ts'
import type { Header } from './header-changes.ts'
import type { ResponseHead } from './response-head.ts'
import type { ResponseRules } from './response-rules.ts'

/** A response as it is kept. Plain data; times are milliseconds since the epoch. */
export interface StoredResponse {
  readonly kind: 'stored'
  readonly status: number
  /** The words after the status, where the handler chose them. */
  readonly reason: string
  readonly headers: readonly Header[]
  /** Headers of middleware before this one that the handler took away. */
  readonly removed: readonly string[]
  /** Names for `Vary`. */
  readonly vary: readonly string[]
  readonly etag: string
  readonly lastModified: string | null
  readonly createdAt: number
  /** How old it was when it was made: it may come from another cache. */
  readonly ageMs: number
  readonly ttlMs: number
  /** The app forbade to serve it past its time. */
  readonly mustRevalidate: boolean
  readonly body: Buffer
}

/** The response as it is kept; undefined where its time is over before it begins. Throws what the app's `ttl` throws. */
export function makeStored(
  head: ResponseHead,
  body: Buffer,
  rules: ResponseRules,
): StoredResponse | undefined {
  const { status, reason, changes, vary, etag = strongEtag(body), lastModified = null } = head
  const fields = Object.fromEntries(changes.set.map(([name, value]) => [name.toLowerCase(), value]))
  const decided = parseDuration('cacheResponse', 'ttl', rules.ttlOf({ status, headers: fields, body }))
  const ttlMs = Math.floor(Math.min(decided, (head.freshMs ?? Number.POSITIVE_INFINITY) - head.ageMs))
  if (ttlMs < 1) return undefined
  const headers = head.etag === undefined ? [...changes.set, ['ETag', etag] as const] : changes.set
  const { ageMs, mustRevalidate } = head
  const createdAt = rules.clock.now()
  const kept = {
    kind: 'stored',
    status,
    reason,
    headers,
    removed: changes.removed,
    vary,
    etag,
    lastModified,
  } as const
  return { ...kept, createdAt, ageMs, ttlMs, mustRevalidate, body }
}

/** A value of the memory of this process is the same object each time, so it is checked once. */
const checked = new WeakSet<object>()

/**
 * The response, if it is one that can be sent: what lies in Redis may have been written by anybody who reaches it.
 * Undefined for anything else.
 */
export function readStored(value: unknown): StoredResponse | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const response = value as StoredResponse // until a check below says no
  if (checked.has(response)) return response
  if (!isStored(response)) return undefined
  checked.add(response)
  return response
}

function isStored(value: { readonly [Field in keyof StoredResponse]: unknown }): boolean {
  const { kind, status, reason, headers, removed, vary, etag, lastModified, body } = value
  return (
    kind === 'stored' &&
    Number.isInteger(status) &&
    Number(status) >= 200 &&
    Number(status) <= 599 &&
    [value.createdAt, value.ageMs, value.ttlMs].every(Number.isFinite) &&
    typeof value.mustRevalidate === 'boolean' &&
    Buffer.isBuffer(body) &&
    isHeaderText(reason) &&
    isHeaderText(etag) &&
    (lastModified === null || isHeaderText(lastModified)) &&
    [removed, vary].every((names) => Array.isArray(names) && names.every(isHeaderName)) &&
    Array.isArray(headers) &&
    headers.every(isHeader)
  )
}

function isHeader(header: unknown): boolean {
  if (!Array.isArray(header) || header.length !== 2 || !isHeaderName(header[0])) return false
  const values: readonly unknown[] = Array.isArray(header[1]) ? header[1] : [header[1]]
  // A cookie is never kept; one that is there all the same was put there.
  return String(header[0]).toLowerCase() !== 'set-cookie' && values.every(isHeaderText)
}

function isHeaderName(name: unknown): boolean {
  return typeof name === 'string' && passes(() => validateHeaderName(name))
}

function isHeaderText(text: unknown): boolean {
  return typeof text === 'string' && passes(() => validateHeaderValue('X-Stored', text))
}

function passes(check: () => void): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
