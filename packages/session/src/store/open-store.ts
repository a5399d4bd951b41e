import type { SessionBackend } from '../backend.ts'
import { bounded } from '../bounded.ts'
import { Migration } from '../migrate/migration.ts'
import { openBackend } from '../open-backend.ts'
import type { SessionRecord } from '../record/session-record.ts'
import { Records } from '../records.ts'
import { timeToLive } from '../time-to-live.ts'
import { SessionStore } from './session-store.ts'
import { readStoreOptions, type SessionStoreOptions, type StoreSettings } from './store-options.ts'
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
  const sessions = new StoredSessions(records, whole, settings, openMigration(whole, settings))
  return new SessionStore(sessions, settings.name)
}

function openMigration(to: SessionBackend, settings: StoreSettings): Migration | undefined {
  const { migrateFrom: from, clock, ttlMs } = settings
  if (!from) return undefined
  return new Migration({
    ...{ from, to, settings },
    ttlMs: (record) => timeToLive(record, ttlMs, clock.now()),
    textOf: asExpressSession,
  })
}

/** Without what only the middleware of our own notes: what it has noted stays. */
function asExpressSession({ text, cookie, meta, data }: SessionRecord): string {
  return meta.seen > 0 ? text : JSON.stringify({ cookie, ...JSON.parse(data) })
}
