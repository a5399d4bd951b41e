import { bounded } from '../bounded.ts'
import { openBackend } from '../open-backend.ts'
import { readOptions, type SessionStoreOptions } from '../options.ts'
import { SessionStore } from './session-store.ts'

/**
 * A store for express-session, in one line of the app:
 * `app.use(session({ ..., store: sessionStore({ redis: process.env.REDIS_URL }) }))`.
 * Without `redis` and `database` it keeps sessions in this process's memory, and says so at start.
 * Throws `InvalidOptionError`, `UnknownOptionError`, or `EmbeddedEngineError` in production.
 */
export function sessionStore(options: SessionStoreOptions = {}): SessionStore {
  const settings = readOptions(options)
  const backend = openBackend(options, settings)
  return new SessionStore(bounded(backend, settings.timeoutMs, settings.clock), settings)
}
