export type { Replaced, SessionBackend } from './backend.ts'
export {
  type KyselyDatabase,
  KyselySessionBackend,
  type KyselySessionBackendOptions,
} from './backends/kysely.ts'
export { MemorySessionBackend, type MemorySessionBackendOptions } from './backends/memory.ts'
export { RedisSessionBackend, type RedisSessionBackendOptions } from './backends/redis.ts'
export type { CookieOptions } from './cookie/cookie-options.ts'
export { createSessions } from './create-sessions.ts'
export { checkCsrf } from './csrf/check-csrf.ts'
export {
  CsrfError,
  ForeignSessionError,
  InvalidSessionRecordError,
  InvalidSessionUserError,
  RecentLoginRequiredError,
  SessionEndedError,
  SessionEvictedError,
  SessionLimitError,
  SessionNotSerializableError,
  SessionTooLargeError,
  SessionTooLateError,
  SessionUnavailableError,
} from './errors.ts'
export type { EndedSessionEvent, EndReason, SessionEvent, SessionHooks } from './events.ts'
export type { ExpiryIndex } from './expiry/expiry-index.ts'
export type { LoadOptions } from './load-options.ts'
export type { Conflict, OnConflict } from './merge.ts'
export type { OldStore } from './migrate/old-store.ts'
export type { ChangeFeed, ChangeListener, FollowOptions } from './near/change-feed.ts'
export type { NearCacheOptions } from './near/near-options.ts'
export type { PlaceOptions } from './options.ts'
export type { SessionLike } from './record.ts'
export type { Sessions } from './sessions.ts'
export type { OnOutage, SessionsOptions } from './sessions-options.ts'
export { sessionStore } from './store/open-store.ts'
export type { LiveSession, SessionRequest } from './store/session-classes.ts'
export type { SessionStore } from './store/session-store.ts'
export type { SessionStoreOptions } from './store/store-options.ts'
export type { UserOf } from './users/read-user.ts'
export type { Admission, Room, UserIndex } from './users/user-index.ts'
export type { UserOptions } from './users/user-options.ts'
export type { ListedSession, UserSessions } from './users/user-sessions.ts'
export type { RegenerateOptions, Session, SessionActions, SessionData, SessionInfo } from './visit/session.ts'
export type { SessionCookie } from './visit/session-cookie.ts'
