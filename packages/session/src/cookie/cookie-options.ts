import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import type { CookieSettings } from './set-cookie.ts'

export interface CookieOptions {
  /**
   * Default `'__Host-session'`: browsers take it from this very host only, over TLS. `'__Secure-session'` where `domain` or
   * `path` is given, `'session'` where `secure` is false.
   */
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
  const refuse: Refuse = (option, value, wanted) => {
    throw new InvalidOptionError(owner, option, value, wanted)
  }
  for (const option of ['secure', 'httpOnly', 'partitioned', 'persistent'] as const) {
    const given: unknown = options[option]
    if (given !== undefined && typeof given !== 'boolean') refuse(option, given, 'true or false')
  }
  const { path = '/', domain, secure = true, httpOnly = true, sameSite = 'lax', priority } = options
  const isOwnHost = secure && domain === undefined && path === '/'
  const prefix = isOwnHost ? '__Host-' : secure ? '__Secure-' : ''
  const name = options.name ?? `${prefix}session`
  const { partitioned: isPartitioned = false, persistent: isPersistent = false } = options

  // Node throws at letters beyond ASCII when it sends them, and browsers pass over what is longer.
  if (!/^\/[ -:<-~]{0,1023}$/.test(path)) refuse('path', path, "a path in ASCII that begins with '/'")
  const isHost = domain === undefined || (domain.length <= 253 && hostName.test(domain))
  if (!isHost) refuse('domain', domain, 'a host name')
  if (!['lax', 'strict', 'none'].includes(sameSite)) refuse('sameSite', sameSite, "'lax', 'strict' or 'none'")
  if (priority !== undefined && !['low', 'medium', 'high'].includes(priority)) {
    refuse('priority', priority, "'low', 'medium' or 'high'")
  }
  if (sameSite === 'none' && !secure)
    refuse('sameSite', sameSite, "'lax' or 'strict' where `secure` is false")
  if (isPartitioned && !secure) refuse('partitioned', true, 'false where `secure` is false')
  refuseName(name, { isOwnHost, secure, httpOnly }, refuse)
  return { name, path, domain, secure, httpOnly, sameSite, isPartitioned, priority, isPersistent }
}

type Refuse = (option: string, value: unknown, wanted: string) => never

const hostName = /^\.?[a-z\d_]([\w-]{0,61}[a-z\d_])?(\.[a-z\d_]([\w-]{0,61}[a-z\d_])?)*$/i

/** Browsers drop a cookie that breaks the promise of its prefix, and compare that in any letters. */
function refuseName(
  name: string,
  { isOwnHost, secure, httpOnly }: { isOwnHost: boolean; secure: boolean; httpOnly: boolean },
  refuse: Refuse,
): void {
  if (!/^[\w!#$%&'*+.^`|~-]{1,256}$/.test(name)) refuse('name', name, 'a cookie name (RFC 6265)')
  const prefixed = name.toLowerCase()
  if (prefixed.startsWith('__host-') && !isOwnHost)
    refuse('name', name, 'without `__Host-`, which asks for `secure`, path `/` and no `domain`')
  if (prefixed.startsWith('__secure-') && !secure)
    refuse('name', name, 'without `__Secure-`, which asks for `secure`')
  if (/^__(host-)?http-/.test(prefixed) && !(secure && httpOnly))
    refuse('name', name, 'without `__Http-`, which asks for `secure` and `httpOnly`')
}
