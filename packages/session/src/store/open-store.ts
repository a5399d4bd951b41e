import { bounded } from '../bounded.ts'
import { openBackend } from '../open-backend.ts'
import { Records } from '../records.ts'
import { SessionStore } from './session-store.ts'
import { readStoreOptions, type SessionStoreOptions } from './store-options.ts'
import { StoredSessions } from './stored-sessions.ts'

/**
 * A store for express-session, in one line of the app:
 * `app.use(session({ ..., store: sessionStore({ redis: process.env.REDIS_URL }) }))`.
 * Without `redis` and `database` it keeps sessions in this process's memory, and says so at start.
 * Throws `InvalidOptionError`, `UnknownOptionError`, or `EmbeddedEngineError` in production.
 */
export function sessionStore(options: SessionStoreOptions = {}): SessionStore {
  const settings = readStoreOptions(options)
  const backend = openBackend(options, settings)
  const records = new Records(backend, settings.sealer, settings)
  const whole = bounded(backend, settings.timeoutMs, settings.clock)
  return new SessionStore(new StoredSessions(records, whole, settings), settings.name)
}
