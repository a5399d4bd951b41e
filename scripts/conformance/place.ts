import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '@stepladder/core/testing'
import type { StoreName } from './store-names.ts'

/** Where a store keeps its sessions while a suite runs: a URL or a file, empty where it needs none. */
export interface Place {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Starts what the store needs, on this machine, for this run alone. */
export async function openPlace(store: StoreName): Promise<Place> {
  switch (store) {
    case 'redis':
    case 'connect-redis':
      return stoppable(await startRedis())
    case 'postgres':
      return stoppable(await startPostgres())
    case 'sqlite': {
      const folder = await mkdtemp(join(tmpdir(), 'stepladder-conformance-'))
      return { url: join(folder, 'sessions.db'), close: () => rm(folder, { recursive: true }) }
    }
    default:
      return { url: '', close: async () => {} }
  }
}

function stoppable(server: RedisServer | PostgresServer): Place {
  return {
    url: server.url,
    close: async () => {
      await server.stop()
    },
  }
}
