export type { Backlog, Broker, QueuedBatch } from './broker.ts'
export {
  type Acceptance,
  InvalidRowError,
  QueueClosedError,
  QueueFullError,
  QueueUnavailableError,
  RowsQuarantinedError,
} from './errors.ts'
export type { WriteBehindOptions } from './options.ts'
export type { Applied, Batch, Sink } from './sink.ts'
export { type KyselyDatabase, type KyselySinkOptions, kyselySink } from './sinks/kysely.ts'
export { createWriteBehind, type WriteBehind, type WriteBehindStats } from './write-behind.ts'
