import { CsrfError } from '../errors.ts'
import { LiveSession } from '../visit/session.ts'
import { isCsrfToken } from './csrf-token.ts'

/**
 * Throws `CsrfError` when `token` is none that `session.csrfToken()` of this session returned, in this request or in an
 * earlier one. For requests that change something, in any framework; `csrf()` does it for Express.
 */
export function checkCsrf(session: object, token: unknown): void {
  if (typeof token !== 'string' || token === '') throw new CsrfError('missing')
  const seed = LiveSession.ownerOf(session)?.meta.csrf
  if (seed === undefined || !isCsrfToken(token, seed)) throw new CsrfError('wrong')
}
