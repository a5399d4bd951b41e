import { CookieReader } from './cookie/cookie-reader.ts'
import { hashedId } from './cookie/session-id.ts'
import { Signer } from './cookie/signature.ts'
import { Events } from './events.ts'
import { openExpiries } from './expiry/expiries.ts'
import { openMigration } from './migrate/open-migration.ts'
import { openNear } from './near/open-near.ts'
import { openBackend } from './open-backend.ts'
import { Records } from './records.ts'
import { Sessions } from './sessions.ts'
import { readSessionsOptions, type SessionsOptions } from './sessions-options.ts'
import { openUsers } from './users/open-users.ts'
import type { SessionData } from './visit/session.ts'

/**
 * Sessions without express-session: `createSessions({ redis: process.env.REDIS_URL, secret })`. Without `redis` and
 * `database` they are kept in this process's memory, which it says at start.
 * Throws `InvalidOptionError`, `UnknownOptionError`, or `EmbeddedEngineError` in production.
 */
export function createSessions<Data extends object = SessionData>(
  options: SessionsOptions<Data>,
): Sessions<Data> {
  const settings = readSessionsOptions(options)
  const backend = openBackend(options, settings)
  const near = openNear('createSessions', backend, settings)
  const records = new Records(near ?? backend, settings.sealer, settings, near)
  const events = new Events(settings.hooks, settings)
  const signer = new Signer(settings.secrets)
  const keyOf = settings.hashIds ? hashedId : asItIs
  return new Sessions<Data>({
    settings,
    cookie: settings.cookie,
    cookies: new CookieReader({ name: settings.cookie.name, signer, keyOf }),
    signer,
    records,
    users: openUsers('createSessions', backend, records, settings),
    events,
    expiries: openExpiries('createSessions', backend, records, events, settings),
    migration: openMigration(near ?? backend, settings),
    keyOf,
  })
}

function asItIs(id: string): string {
  return id
}
