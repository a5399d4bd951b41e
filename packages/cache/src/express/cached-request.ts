import type { IncomingMessage } from 'node:http'

/** The part of an Express request that is read here; Express 4 and 5 alike. */
export interface CachedRequest extends IncomingMessage {
  readonly originalUrl?: string
  /** What the routers on the way here have taken off `url`. */
  readonly baseUrl?: string
  /** `http` or `https`, as the proxy says where the app trusts it. */
  readonly protocol?: string
  /** As the client sent it, where a middleware has overridden it. */
  readonly originalMethod?: string
  readonly params: Readonly<Record<string, unknown>>
}

/** `none`: the handler answers. `look`: a stored response if there is one, else the handler. `load`: one handler for all. */
export type CacheUse = 'none' | 'look' | 'load'

/** Some frameworks let these decide which handler answers, and they are in no key. */
const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override']

/** What the cache may do for a request. */
export function useOf(request: CachedRequest): CacheUse {
  const { method, headers, originalMethod = method } = request
  if (!isRead(method) || !isRead(originalMethod) || hasBody(request)) return 'none'
  if (overrides.some((name) => headers[name] !== undefined)) return 'none'
  // Conditions on what is to be changed are for the handler, never for a cache (RFC 9111, 4.3.2).
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) return 'none'
  return method === 'GET' && headers.range === undefined ? 'load' : 'look'
}

function isRead(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** A body is an input too, and in no key. */
function hasBody({ headers }: CachedRequest): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}
