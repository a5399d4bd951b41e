import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSessions } from '../create-sessions.ts'
import { Sessions } from '../sessions.ts'
import type { SessionsOptions } from '../sessions-options.ts'
import type { LiveSession, SessionData } from '../visit/session.ts'
import type { Visit } from '../visit/visit.ts'
import { commitBeforeHeaders } from './held-response.ts'

/** Continues with the next handler, or with the app's error handler. */
type Next = (failure?: unknown) => void

/** Middleware for Express 4 and 5, and for anything that calls `(request, response, next)`. */
export interface SessionsHandler<Data extends object> {
  (request: IncomingMessage, response: ServerResponse, next: Next): void
  /** Close them when the app ends. */
  readonly sessions: Sessions<Data>
}

/**
 * Gives each request its session: `app.use(sessions({ redis: process.env.REDIS_URL, secret }))`. What a handler changes
 * in `request.session` is saved before the first byte of its response is sent. Takes options, or what `createSessions`
 * made of them. Throws as `createSessions` does.
 */
export function sessions<Data extends object = SessionData>(
  from: SessionsOptions | Sessions<Data>,
): SessionsHandler<Data> {
  const opened = from instanceof Sessions ? from : createSessions<Data>(from)
  const handle = (request: IncomingMessage, response: ServerResponse, next: Next) => {
    const visit = opened.visit(request.headers.cookie)
    if (!(visit instanceof Promise)) return enter(visit, request, response, next)
    visit.then((found) => enter(found, request, response, next), next)
  }
  return Object.assign(handle, { sessions: opened })
}

function enter(visit: Visit, request: IncomingMessage, response: ServerResponse, next: Next): void {
  const place = request as { session?: LiveSession | undefined }
  place.session = visit.session
  visit.onReplace = (session) => {
    place.session = session
  }
  commitBeforeHeaders(response, visit, next)
  next()
}
