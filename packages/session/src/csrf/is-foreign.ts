/** What browsers say of where a request comes from, and what it is for. */
export interface OriginRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The host by Express, which knows by `trust proxy` what the browser asked for. */
  readonly hostname?: string | undefined
}

/**
 * Whether the browser says that a page of another site has sent the request: by Fetch Metadata, which no page can forge and
 * every browser sends over TLS; else by `Origin`. One that says nothing is no browser of today, and is left to its token.
 */
export function isForeign(request: OriginRequest, allowed: ReadonlySet<string>): boolean {
  const { host, origin, 'sec-fetch-site': site } = request.headers
  if (typeof origin === 'string' && allowed.has(origin)) return false
  if (site !== undefined) return site === 'cross-site'
  // `null` is what privacy settings make of an origin, of one's own pages too.
  if (typeof origin !== 'string' || origin === 'null') return false
  const asked = request.hostname ?? (typeof host === 'string' ? hostnameOf(`http://${host}`) : undefined)
  return asked !== undefined && hostnameOf(origin) !== asked
}

function hostnameOf(url: string): string | undefined {
  return URL.parse(url)?.hostname
}
