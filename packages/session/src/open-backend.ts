import cluster from 'node:cluster'
import { admitEmbedded, begin } from '@stepladder/core'
import type { SessionBackend } from './backend.ts'
import { KyselySessionBackend } from './backends/kysely.ts'
import { MemorySessionBackend } from './backends/memory.ts'
import { RedisSessionBackend } from './backends/redis.ts'
import { SessionEvictedError } from './errors.ts'
import type { PlaceOptions, PlaceSettings } from './options.ts'

/** Opens the place where sessions are kept: the first that is given, else memory, which says so at start. */
export function openBackend(options: PlaceOptions, settings: PlaceSettings): SessionBackend {
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

function openMemory({ embedded = false }: PlaceOptions, settings: PlaceSettings): SessionBackend {
  const engine = cluster.isWorker
    ? "each worker's own memory: a user is logged in at one worker only"
    : 'memory of this process'
  const remedy = 'pass `redis` or `database`'
  admitEmbedded({ owner: `session "${settings.name}"`, engine, remedy, isMeant: embedded })
  const onEvict = () => tell(settings, 'evict', 'evicted', new SessionEvictedError())
  return new MemorySessionBackend({ clock: settings.clock, onEvict })
}

function tell({ name, report }: PlaceSettings, operation: string, outcome: string, cause: unknown): void {
  begin({ component: 'session', name, operation }, report)(outcome, cause)
}
