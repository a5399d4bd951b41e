import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import type { CookieSettings } from './set-cookie.ts'

export interface CookieOptions {
  /** Default `'__Host-session'`: browsers take it from this very host only, over TLS. `'session'` where `secure` is false, or `domain` or `path` is given. */
  readonly name?: string | undefined
  /** Default `'/'`. */
  readonly path?: string | undefined
  /** Other hosts of this domain get the cookie too. Default: this host alone. */
  readonly domain?: string | undefined
  /**
   * Only over TLS. Default true, whatever the request came over: behind a proxy that speaks TLS it is right as it is, and
   * browsers take `localhost` for safe. False for plain HTTP to other hosts.
   */
  readonly secure?: boolean | undefined
  /** Out of reach for scripts of the page. Default true. */
  readonly httpOnly?: boolean | undefined
  /** `'lax'`, the default; `'strict'`: not when a link of another site leads here; `'none'`: with every request. */
  readonly sameSite?: 'lax' | 'strict' | 'none' | undefined
  /** A cookie of its own for each site that embeds this one (CHIPS). Default false. */
  readonly partitioned?: boolean | undefined
  /** Which cookies Chromium drops first when there are too many. */
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  /** Whether the browser keeps it when it is closed, for `idleTimeout`. Default false. */
  readonly persistent?: boolean | undefined
}

const known = [
  ...['name', 'path', 'domain', 'secure', 'httpOnly', 'sameSite', 'partitioned', 'priority', 'persistent'],
]

/** Throws `InvalidOptionError` or `UnknownOptionError`, also for what browsers would drop without a word. */
export function readCookieOptions(caller: string, options: CookieOptions): CookieSettings {
  const owner = `${caller}: cookie`
  checkOptionNames(owner, options, known)
  const { path = '/', domain, secure = true, httpOnly = true, sameSite = 'lax', priority } = options
  const isOwnHost = secure && domain === undefined && path === '/'
  const name = options.name ?? (isOwnHost ? '__Host-session' : 'session')
  const { partitioned: isPartitioned = false, persistent: isPersistent = false } = options

  const refuse = (option: string, value: unknown, wanted: string): never => {
    throw new InvalidOptionError(owner, option, value, wanted)
  }
  if (!/^[\w!#$%&'*+.^`|~-]{1,256}$/.test(name)) refuse('name', name, 'a cookie name (RFC 6265)')
  if (!/^\/[^;\p{Cc}]*$/u.test(path)) refuse('path', path, "a path that begins with '/'")
  if (domain !== undefined && !/^\.?[\w-]+(\.[\w-]+)*$/.test(domain)) refuse('domain', domain, 'a host name')
  if (!['lax', 'strict', 'none'].includes(sameSite)) refuse('sameSite', sameSite, "'lax', 'strict' or 'none'")
  if (priority !== undefined && !['low', 'medium', 'high'].includes(priority)) {
    refuse('priority', priority, "'low', 'medium' or 'high'")
  }
  if (name.startsWith('__Host-') && !isOwnHost)
    refuse('name', name, 'without `__Host-`, which asks for `secure`, path `/` and no `domain`')
  if (name.startsWith('__Secure-') && !secure)
    refuse('name', name, 'without `__Secure-`, which asks for `secure`')
  if (sameSite === 'none' && !secure)
    refuse('sameSite', sameSite, "'lax' or 'strict' where `secure` is false")
  if (isPartitioned && !secure) refuse('partitioned', true, 'false where `secure` is false')
  return { name, path, domain, secure, httpOnly, sameSite, isPartitioned, priority, isPersistent }
}
