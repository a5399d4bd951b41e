import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { InvalidOptionError } from '@stepladder/core'
import type { CachedRequest } from './cached-request.ts'
import { personalHeaders } from './personal-headers.ts'
import { sortedQuery } from './sorted-query.ts'
import type { VaryRule } from './vary-rule.ts'

/** Longer keys are hashed: a cache takes 1024 bytes, and a client chooses how long its headers are. */
const longest = 400

/**
 * What proxies say of the request that the client made, and frameworks and handlers build URLs of. As parts of the
 * key they can poison nobody's entry but that of requests which say the same.
 */
const forwarding = [
  ...['host', 'server', 'proto', 'protocol', 'scheme', 'ssl', 'port', 'prefix', 'path', 'uri', 'url'].map(
    (name) => `x-forwarded-${name}`,
  ),
  ...['x-original-host', 'x-original-url', 'x-original-uri', 'x-rewrite-url', 'x-envoy-original-path'],
  ...['x-host', 'x-http-host-override', 'x-url-scheme', 'front-end-https', 'cf-visitor'],
  'cloudfront-forwarded-proto',
]

/** Request headers that are in every key, in small letters. */
export const keyedHeaders: readonly string[] = ['host', ...forwarding]

/** The key under which the answer to a request is stored: no method, so that HEAD finds what GET stored. */
export function responseKey<R extends CachedRequest>(
  request: R,
  keyOf: ((request: R) => string) | undefined,
  vary: readonly VaryRule<R>[],
): string {
  const { headers } = request
  const parts: unknown[] = [request.protocol ?? '', headers.host ?? '']
  if (keyOf) parts.push(checked(keyOf(request)))
  else parts.push(...targets(request))
  for (const name of forwarding) {
    if (headers[name] !== undefined) parts.push([name, headers[name]])
  }
  if (headers.forwarded !== undefined) parts.push(['forwarded', forwardedParts(headers)])
  for (const rule of vary) parts.push(['vary', rule.header, varied(request, rule)])
  // As JSON no part can run into the next.
  const key = JSON.stringify(parts)
  return key.length <= longest ? `http:${key}` : `http:#${hash(key)}`
}

/** A key that is missing would be one for all. */
function checked(key: unknown): string {
  if (typeof key === 'string' && key !== '') return key
  throw new InvalidOptionError('cacheResponse', 'key', key, 'a function that returns a text')
}

/** As it was asked for; and where middleware has rewritten it, by cookie or language perhaps, as it was understood. */
function targets({ originalUrl, baseUrl = '', url = '' }: CachedRequest): unknown[] {
  const now = baseUrl + url
  if (originalUrl === undefined || originalUrl === now) return target(now)
  return [...target(originalUrl), ['url', ...target(now)]]
}

/** The path as it was asked for: `/a%2Fb` is not `/a/b`, and `/A` is not `/a`. */
function target(url: string): [path: string, query: string] {
  const at = url.indexOf('?')
  return at === -1 ? [url, ''] : [url.slice(0, at), sortedQuery(url.slice(at + 1))]
}

/** Its `for` and `by` differ by client and say nothing of the URL. */
function forwardedParts({ forwarded = '' }: IncomingHttpHeaders): string[] {
  return forwarded.split(/[,;]/).filter((part) => !/^\s*(for|by)\s*=/i.test(part))
}

function varied<R extends CachedRequest>(request: R, { header, normalise }: VaryRule<R>): unknown {
  const raw = request.headers[header]
  const value = Array.isArray(raw) ? raw.join(', ') : raw
  if (normalise) return String(normalise(value, request))
  if (value === undefined) return null
  return personalHeaders.has(header) ? hash(value) : value
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
