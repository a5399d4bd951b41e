import type { CookieReader } from './cookie/cookie-reader.ts'
import type { CookieSettings } from './cookie/set-cookie.ts'
import type { Signer } from './cookie/signature.ts'
import type { Events } from './events.ts'
import type { Expiries } from './expiry/expiries.ts'
import type { Migration } from './migrate/migration.ts'
import type { Records } from './records.ts'
import type { SessionsSettings } from './sessions-options.ts'
import type { Users } from './users/users.ts'

/** What sessions are made of, opened by `createSessions`. */
export interface SessionsParts {
  readonly settings: SessionsSettings
  readonly cookie: CookieSettings
  readonly cookies: CookieReader
  readonly signer: Signer
  readonly records: Records
  /** Which sessions are whose; undefined without `userOf`. */
  readonly users: Users | undefined
  readonly events: Events
  /** Waits for the end of sessions; undefined without the hook `expired`. */
  readonly expiries: Expiries | undefined
  /** Takes sessions over from another store, where the options name one. */
  readonly migration: Migration | undefined
  /** The key that a session with this id is kept under. */
  readonly keyOf: (id: string) => string
}
