import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { createSessions } from '../create-sessions.ts'
import { ForeignSessionError } from '../errors.ts'
import type { LoadOptions } from '../load-options.ts'
import { Sessions } from '../sessions.ts'
import type { SessionsOptions, SessionsSettings } from '../sessions-options.ts'
import type { Session, SessionData } from '../visit/session.ts'
import { type Visit, visitOf } from '../visit/visit.ts'
import { holdUntilSaved, isHeld } from './hold-until-saved.ts'
import { isWithin } from './is-within.ts'

/** Continues with the next handler, or with the app's error handler. */
type Next = (failure?: unknown) => void
type Request = IncomingMessage | Http2ServerRequest

/** Middleware for Express 4 and 5, and for anything that calls `(request, response, next)`. */
export interface SessionsHandler<Data extends object> {
  (request: Request, response: ServerResponse | Http2ServerResponse, next: Next): void
  /** Close them when the app ends. */
  readonly sessions: Sessions<Data>
  /**
   * `request.session` with the types of its fields, whatever else declares them. Throws `TypeError` when the request has no
   * session: it was ended, or this middleware did not come before.
   */
  get(request: object): Session<Data>
}

/**
 * Gives each request its session: `app.use(sessions({ redis: process.env.REDIS_URL, secret }))`. What a handler changes
 * in `request.session` is saved before the first byte of its response is sent; where it cannot be saved, nothing of the
 * response is sent, and `next` is called with the error. `request.session = null` ends the session. Takes options, or
 * what `createSessions` made of them. Throws as `createSessions` does.
 */
export function sessions<Data extends object = SessionData>(opened: Sessions<Data>): SessionsHandler<Data>
export function sessions<Data extends object = SessionData>(
  options: SessionsOptions<Data>,
): SessionsHandler<Data>
export function sessions<Data extends object>(
  from: SessionsOptions<Data> | Sessions<Data>,
): SessionsHandler<Data> {
  const opened = from instanceof Sessions ? from : createSessions<Data>(from)
  const { settings } = opened
  const handle = (request: Request, either: ServerResponse | Http2ServerResponse, next: Next) => {
    // Those of node:http2 have all that is asked of them here.
    const response = either as ServerResponse
    if (isHeld(response) || !isWithin(settings.cookie.path, request)) return next()
    if ((request as Place).session) {
      return next(new ForeignSessionError('other middleware has put its own there'))
    }
    const visit = opened.visit(request.headers.cookie, settings.keepsDevice ? deviceAt(request) : undefined)
    if (!(visit instanceof Promise)) return enter(visit, settings, request, response, next)
    visit.then((found) => enter(found, settings, request, response, next), next)
  }
  // Which fields the app keeps in its sessions, only the app knows.
  return Object.assign(handle, {
    sessions: opened,
    get: (request: object) => sessionOf(request) as Session<Data>,
  })
}

/** Express knows the address behind proxies that the app trusts. */
function deviceAt(request: Request & { readonly ip?: string | undefined }): LoadOptions {
  const { 'user-agent': userAgent } = request.headers
  return { ip: request.ip ?? request.socket.remoteAddress, userAgent }
}

interface Place {
  session?: unknown
}

function enter(
  visit: Visit,
  settings: SessionsSettings,
  request: Request,
  response: ServerResponse,
  next: Next,
): void {
  const place = request as Place
  place.session = visit.session
  visit.place = place
  holdUntilSaved(response, { place, visit, settings, next })
  next()
}

function sessionOf({ session }: Place): unknown {
  if (typeof session !== 'object' || session === null || !visitOf(session)) {
    throw new TypeError('This request has no session: it was ended, or `sessions()` did not come before')
  }
  return session
}
