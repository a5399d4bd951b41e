import type { CachedRequest } from './cached-request.ts'
import { personalHeaders } from './personal-headers.ts'

/** What decides whether an answer may depend on who asks. */
export interface SharingRules {
  readonly shareAcrossUsers: boolean
  /** Personal headers that are in the key as they are: `authorization`, `cookie`. */
  readonly credentials: readonly string[]
}

const carriers = [...personalHeaders]

/** Where Express apps keep who is asking, with the header that it most likely comes from. */
const places: readonly (readonly [place: string, header: string | undefined])[] = [
  ['session', 'cookie'],
  ['cookies', 'cookie'],
  ['signedCookies', 'cookie'],
  ['auth', 'authorization'],
  ['user', undefined],
]

/** The client sent credentials, or a middleware has found out who asks, and the key does not say so. */
export function isAuthenticated(request: CachedRequest, rules: SharingRules): boolean {
  if (rules.shareAcrossUsers || isKnownByKey(request, rules)) return false
  const mayVary = rules.credentials.includes('authorization')
  if (request.headers.authorization !== undefined && !mayVary) return true
  // What passport and its like put there, if anything.
  const { user, auth } = request as { user?: unknown; auth?: unknown }
  return isSomebody(user) || (isSomebody(auth) && !mayVary)
}

/** What a handler must not look at if its answer is to be for others, too. */
export function personalPlaces(
  request: CachedRequest,
  rules: SharingRules,
): { readonly fields: readonly string[]; readonly headers: readonly string[] } {
  if (rules.shareAcrossUsers || isKnownByKey(request, rules)) return { fields: [], headers: [] }
  const isOpen = (header: string | undefined) => header === undefined || !rules.credentials.includes(header)
  return {
    fields: places.filter(([, header]) => isOpen(header)).map(([place]) => place),
    headers: carriers.filter(isOpen),
  }
}

/** All that the request says of who asks is in its key: nobody else has that key. */
function isKnownByKey({ headers }: CachedRequest, { credentials }: SharingRules): boolean {
  if (credentials.length === 0) return false
  const carried = carriers.filter((name) => headers[name] !== undefined)
  return carried.length > 0 && carried.every((name) => credentials.includes(name))
}

function isSomebody(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}
