export type { Replaced, SessionBackend } from './backend.ts'
export {
  type KyselyDatabase,
  KyselySessionBackend,
  type KyselySessionBackendOptions,
} from './backends/kysely.ts'
export { MemorySessionBackend, type MemorySessionBackendOptions } from './backends/memory.ts'
export { RedisSessionBackend, type RedisSessionBackendOptions } from './backends/redis.ts'
export {
  InvalidSessionRecordError,
  SessionEvictedError,
  SessionNotSerializableError,
  SessionUnavailableError,
} from './errors.ts'
export type { PlaceOptions, SessionStoreOptions } from './options.ts'
export type { SessionLike } from './record.ts'
export { sessionStore } from './store/open-store.ts'
export type { LiveSession, SessionRequest } from './store/session-classes.ts'
export type { SessionStore } from './store/session-store.ts'
