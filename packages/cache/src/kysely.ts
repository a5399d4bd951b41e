export {
  type CacheableQuery,
  type CachedQueryOptions,
  cached,
  cachedFirst,
  type KeepsAnswers,
} from './kysely/cached.ts'
export type { KyselyInstance, KyselyTransaction } from './kysely/database.ts'
export { OpaqueStatementError, OutboxBacklogError, UncacheableQueryError } from './kysely/errors.ts'
export { type InvalidateAfterCommitOptions, invalidateAfterCommit } from './kysely/invalidate-after-commit.ts'
export { type InvalidateOnWriteOptions, invalidateOnWrite } from './kysely/invalidate-on-write.ts'
export type { ListenFunction, PostgresClient } from './kysely/listen.ts'
export type { Backlog } from './kysely/outbox-rows.ts'
export { createOutboxTable, type OutboxTableOptions } from './kysely/outbox-table.ts'
export { type OutboxRelay, type RelayOutboxOptions, relayOutbox } from './kysely/relay-outbox.ts'
export { tagsOfTables } from './kysely/table.ts'
export type { Dependents, Invalidates } from './kysely/write-watch.ts'
export { writesTo } from './kysely/writes-to.ts'
