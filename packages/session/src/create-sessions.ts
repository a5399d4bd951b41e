import { hashedId } from './cookie/session-id.ts'
import { Signer } from './cookie/signature.ts'
import { openNear } from './near/open-near.ts'
import { openBackend } from './open-backend.ts'
import { Records } from './records.ts'
import { Sessions } from './sessions.ts'
import { readSessionsOptions, type SessionsOptions } from './sessions-options.ts'
import type { SessionData } from './visit/session.ts'

/**
 * Sessions without express-session: `createSessions({ redis: process.env.REDIS_URL, secret })`. Without `redis` and
 * `database` they are kept in this process's memory, which it says at start.
 * Throws `InvalidOptionError`, `UnknownOptionError`, or `EmbeddedEngineError` in production.
 */
export function createSessions<Data extends object = SessionData>(options: SessionsOptions): Sessions<Data> {
  const settings = readSessionsOptions(options)
  const backend = openBackend(options, settings)
  const near = openNear('createSessions', backend, settings)
  return new Sessions<Data>({
    settings,
    cookie: settings.cookie,
    signer: new Signer(settings.secrets),
    records: new Records(near ?? backend, settings.sealer, settings, near),
    near,
    keyOf: settings.hashIds ? hashedId : (id) => id,
  })
}
