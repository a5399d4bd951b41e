import { type Clock, type Duration, InvalidOptionError, parseDuration, systemClock } from '@stepladder/core'
import { RecentLoginRequiredError } from '../errors.ts'
import { LiveSession } from '../visit/session.ts'

/** A request as Express has it, after `sessions()`. */
export interface RecentLoginRequest {
  readonly session?: object | null | undefined
}

export type RecentLoginHandler = (
  request: RecentLoginRequest,
  response: object,
  next: (failure?: unknown) => void,
) => void

/**
 * Middleware for what a session that was left open must not do, such as changing a password: it lets a request through when
 * the session's last login, `session.info.authenticatedAt`, is at most so long ago. Else `next` is called with
 * `RecentLoginRequiredError`, status 401: ask for the password and call `session.regenerate({ keep: true })`, which counts
 * as a login. It goes after what asks who is logged in. Throws `InvalidOptionError`.
 */
export function requireRecentLogin(
  within: Duration,
  options: { readonly clock?: Clock | undefined } = {},
): RecentLoginHandler {
  const withinMs = parseDuration('requireRecentLogin', 'within', within)
  if (withinMs <= 0) {
    throw new InvalidOptionError('requireRecentLogin', 'within', within, "a duration such as '10m'")
  }
  const { clock = systemClock } = options
  return (request, _response, next) => {
    const loggedInAt = request.session
      ? LiveSession.ownerOf(request.session)?.info.authenticatedAt
      : undefined
    const isRecent = loggedInAt !== undefined && clock.now() - loggedInAt <= withinMs
    next(isRecent ? undefined : new RecentLoginRequiredError())
  }
}
