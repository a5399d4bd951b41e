/** How the session's cookie is set; everything but its value and age. */
export interface CookieSettings {
  readonly name: string
  readonly path: string
  readonly domain: string | undefined
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly isPartitioned: boolean
  readonly priority: 'low' | 'medium' | 'high' | undefined
  /** Whether the browser keeps it when it is closed. */
  readonly isPersistent: boolean
}

/** A `Set-Cookie` header (RFC 6265bis). Without `maxAgeMs` the browser forgets the cookie when it is closed. */
export function setCookie(settings: CookieSettings, value: string, maxAgeMs?: number | undefined): string {
  const age = maxAgeMs === undefined ? '' : `; Max-Age=${Math.max(0, Math.floor(maxAgeMs / 1_000))}`
  return `${settings.name}=${encodeURIComponent(value)}${age}${attributesOf(settings)}`
}

/** A `Set-Cookie` header that removes the cookie. */
export function clearCookie(settings: CookieSettings): string {
  return `${settings.name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${attributesOf(settings)}`
}

function attributesOf(settings: CookieSettings): string {
  const known = attributes.get(settings)
  if (known !== undefined) return known
  const { domain, path, priority, sameSite } = settings
  const written = [
    `; Path=${path}`,
    domain === undefined ? '' : `; Domain=${domain}`,
    settings.httpOnly ? '; HttpOnly' : '',
    settings.secure ? '; Secure' : '',
    `; SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`,
    settings.isPartitioned ? '; Partitioned' : '',
    priority === undefined ? '' : `; Priority=${priority[0]!.toUpperCase()}${priority.slice(1)}`,
  ].join('')
  attributes.set(settings, written)
  return written
}

const attributes = new WeakMap<CookieSettings, string>()
