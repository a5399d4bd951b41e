import cluster from 'node:cluster'
import { admitEmbedded, begin } from '@stepladder/core'
import type { SessionBackend } from '../backend.ts'
import { KyselySessionBackend } from '../backends/kysely.ts'
import { MemorySessionBackend } from '../backends/memory.ts'
import { RedisSessionBackend } from '../backends/redis.ts'
import { bounded } from '../bounded.ts'
import { SessionEvictedError } from '../errors.ts'
import { readOptions, type SessionStoreOptions, type StoreSettings } from '../options.ts'
import { SessionStore } from './session-store.ts'

/**
 * A store for express-session, in one line of the app:
 * `app.use(session({ ..., store: sessionStore({ redis: process.env.REDIS_URL }) }))`.
 * Without `redis` and `database` it keeps sessions in this process's memory, and says so at start.
 * Throws `InvalidOptionError`, `UnknownOptionError`, or `EmbeddedEngineError` in production.
 */
export function sessionStore(options: SessionStoreOptions = {}): SessionStore {
  const settings = readOptions(options)
  const backend = openBackend(options, settings)
  return new SessionStore(bounded(backend, settings.timeoutMs, settings.clock), settings)
}

function openBackend(options: SessionStoreOptions, settings: StoreSettings): SessionBackend {
  const { redis, database, backend } = options
  const { prefix, clock, timeoutMs } = settings
  const reportFailure = (operation: string) => (cause: unknown) => tell(settings, operation, 'failed', cause)

  if (redis) {
    const onError = reportFailure('connect')
    return new RedisSessionBackend({ redis, prefix, commandTimeoutMs: timeoutMs, onError })
  }
  if (database) return new KyselySessionBackend({ database, prefix, clock, onError: reportFailure('prune') })
  return backend ?? openMemory(options, settings)
}

function openMemory({ embedded = false }: SessionStoreOptions, settings: StoreSettings): SessionBackend {
  const engine = cluster.isWorker
    ? "each worker's own memory: a user is logged in at one worker only"
    : 'memory of this process'
  const remedy = 'pass `redis` or `database`'
  admitEmbedded({ owner: `session "${settings.name}"`, engine, remedy, isMeant: embedded })
  const onEvict = () => tell(settings, 'evict', 'evicted', new SessionEvictedError())
  return new MemorySessionBackend({ clock: settings.clock, onEvict })
}

function tell({ name, report }: StoreSettings, operation: string, outcome: string, cause: unknown): void {
  begin({ component: 'session', name, operation }, report)(outcome, cause)
}
