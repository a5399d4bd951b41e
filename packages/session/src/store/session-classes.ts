import { MissingPackageError } from '@stepladder/core'
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

/**
 * express-session's own way of making a session, from the copy that the app has: its sessions and cookies
 * are the real ones. Rejects with `MissingPackageError` where it is not installed.
 */
export async function loadCreateSession(owner: string): Promise<CreateSession> {
  const session = await loadExpressSession(owner)
  // Its types want Express's own request and `any`; what it does with them is what `CreateSession` says.
  return session.Store.prototype.createSession as unknown as CreateSession
}

/** The app's express-session. Rejects with `MissingPackageError`. */
export async function loadExpressSession(owner: string): Promise<typeof import('express-session')> {
  const { default: session } = await import('express-session').catch((cause: unknown) => {
    throw new MissingPackageError(owner, 'express-session', { cause })
  })
  return session
}
