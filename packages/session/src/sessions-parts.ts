import type { CookieSettings } from './cookie/set-cookie.ts'
import type { Signer } from './cookie/signature.ts'
import type { NearCache } from './near/near-cache.ts'
import type { Records } from './records.ts'
import type { SessionsSettings } from './sessions-options.ts'

/** What sessions are made of, opened by `createSessions`. */
export interface SessionsParts {
  readonly settings: SessionsSettings
  readonly cookie: CookieSettings
  readonly signer: Signer
  readonly records: Records
  /** What remembers records, where the options ask for that. */
  readonly near: NearCache | undefined
  /** The key that a session with this id is kept under. */
  readonly keyOf: (id: string) => string
}
