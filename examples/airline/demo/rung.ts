import { join } from 'node:path'

export interface Rung {
  readonly number: number
  /** Its folder in the example, such as `3-cache`. */
  readonly folder: string
  /** What it adds, in a few words. */
  readonly adds: string
  /** One process, or one per core under `stepladder run`. */
  readonly isClustered: boolean
  /** Whether the session lives where every process finds it. */
  readonly sharesSessions: boolean
}

export const rungs: readonly Rung[] = [
  { number: 0, folder: '0-monolith', adds: 'as it was', isClustered: false, sharesSessions: true },
  { number: 1, folder: '1-cluster', adds: 'one process per core', isClustered: true, sharesSessions: false },
  { number: 2, folder: '2-session', adds: 'sessions in a store', isClustered: true, sharesSessions: true },
  { number: 3, folder: '3-cache', adds: 'heavy reads cached', isClustered: true, sharesSessions: true },
  { number: 4, folder: '4-queue', adds: 'events written behind', isClustered: true, sharesSessions: true },
  { number: 5, folder: '5-shard', adds: 'bookings in two shards', isClustered: true, sharesSessions: true },
]

export const exampleFolder: string = join(import.meta.dirname, '..')

export function serverFile(rung: Rung): string {
  return join(exampleFolder, rung.folder, 'server.ts')
}
