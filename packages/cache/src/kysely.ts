export type { Backlog } from './kysely/backlog.ts'
export {
  type CacheableQuery,
  type CachedQueryOptions,
  cached,
  cachedFirst,
  type KeepsAnswers,
} from './kysely/cached.ts'
export { OpaqueStatementError, OutboxBacklogError, UncacheableQueryError } from './kysely/errors.ts'
export type { KyselyInstance, KyselyTransaction } from './kysely/instance.ts'
export { type InvalidateAfterCommitOptions, invalidateAfterCommit } from './kysely/invalidate-after-commit.ts'
export { type InvalidateOnWriteOptions, invalidateOnWrite } from './kysely/invalidate-on-write.ts'
export type { Dependents, Invalidates } from './kysely/invalidates.ts'
export type { ListenFunction, PostgresClient } from './kysely/listen.ts'
export { createOutboxTable, type OutboxTableOptions } from './kysely/outbox-table.ts'
export { type OutboxRelay, type RelayOutboxOptions, relayOutbox } from './kysely/relay-outbox.ts'
export { tagsOfTables } from './kysely/table.ts'
export { type NamingPlugin, writesTo } from './kysely/writes-to.ts'
