import type { SessionLike } from '../record.ts'

/** What express-session puts on a request as `req.session`, as far as it is typed without its types. */
export interface LiveSession {
  id: string
  regenerate(callback: (error: unknown) => void): this
  destroy(callback: (error: unknown) => void): this
  reload(callback: (error: unknown) => void): this
  save(callback?: (error: unknown) => void): this
  resetMaxAge(): this
  touch(): this
}

/** A request as express-session prepares it. */
export interface SessionRequest {
  sessionID: string
  session?: unknown
  sessionStore?: unknown
}

/** Makes a live session of a stored one, and puts it on the request. */
export type CreateSession = <S extends SessionLike>(request: SessionRequest, session: S) => S & LiveSession
