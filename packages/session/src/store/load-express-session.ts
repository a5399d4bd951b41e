import { MissingPackageError } from '@stepladder/core'
import type { CreateSession } from './session-classes.ts'

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
