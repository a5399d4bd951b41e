/** The directives of a `Cache-Control` header: names in small letters, arguments without quotes. */
export type Directives = ReadonlyMap<string, string>

/** Reads what a `Cache-Control` header says; of a directive that is given twice the first one counts. */
export function readCacheControl(header: string | undefined): Directives {
  const directives = new Map<string, string>()
  if (header === undefined) return directives
  for (const [, name, quoted, token] of header.matchAll(
    /([^\s,;="]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;"]*)))?/g,
  )) {
    const directive = name!.toLowerCase()
    if (!directives.has(directive)) directives.set(directive, quoted ?? token ?? '')
  }
  return directives
}

/**
 * How long a response says that it is good for, in a shared cache; undefined where it does not say. A bare
 * `max-age=0` does not: it makes clients ask each time, and `sendFile` writes it without being told.
 */
export function explicitFreshnessMs(
  directives: Directives,
  expires: string | undefined,
  now: number,
): number | undefined {
  const ofClients = directives.get('max-age')
  const seconds = directives.get('s-maxage') ?? (isBareZero(directives) ? undefined : ofClients)
  // What is no number means: already stale (RFC 9111, 4.2.1).
  if (seconds !== undefined) return /^\d+$/.test(seconds) ? Number(seconds) * 1_000 : 0
  if (expires === undefined || ofClients !== undefined) return undefined
  // `0` and the like, which JavaScript would read as years, mean: already stale.
  const until = expires.endsWith(' GMT') ? Date.parse(expires) : Number.NaN
  return Number.isNaN(until) ? 0 : Math.max(0, until - now)
}

function isBareZero(directives: Directives): boolean {
  return directives.get('max-age') === '0' && !mustRevalidate(directives)
}

/** True where the response must not be served past its time; `s-maxage` says it too (RFC 9111, 5.2.2.10). */
export function mustRevalidate(directives: Directives): boolean {
  return ['must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) => directives.has(name))
}

/** What the middleware tells browsers and CDNs, in milliseconds. */
export interface Advice {
  readonly maxAgeMs: number
  readonly sharedMaxAgeMs: number | undefined
  readonly staleWhileRevalidateMs: number | undefined
  readonly staleIfErrorMs: number
  /** The answer depends on who asks: no CDN may keep it. */
  readonly isPrivate: boolean
}

/** The advice as a `Cache-Control` header. */
export function writeCacheControl({
  maxAgeMs,
  sharedMaxAgeMs,
  staleWhileRevalidateMs,
  staleIfErrorMs,
  isPrivate,
}: Advice): string {
  const parts = [`max-age=${seconds(maxAgeMs)}`]
  if (isPrivate) parts.unshift('private')
  else if (sharedMaxAgeMs !== undefined) parts.push(`s-maxage=${seconds(sharedMaxAgeMs)}`)
  if (staleWhileRevalidateMs !== undefined)
    parts.push(`stale-while-revalidate=${seconds(staleWhileRevalidateMs)}`)
  if (staleIfErrorMs > 0) parts.push(`stale-if-error=${seconds(staleIfErrorMs)}`)
  return parts.join(', ')
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
