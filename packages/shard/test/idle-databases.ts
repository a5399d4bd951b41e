import type { ShardDatabase } from '@stepladder/shard'

export interface IdleDatabase extends ShardDatabase {
  readonly name: string
  isDestroyed: boolean
}

/** Databases that are only told apart, for tests in which nothing is asked of them. */
export function idleDatabases<Name extends string>(...names: readonly Name[]): Record<Name, IdleDatabase> {
  const entries = names.map((name) => {
    const database: IdleDatabase = {
      name,
      isDestroyed: false,
      destroy: async () => {
        database.isDestroyed = true
      },
    }
    return [name, database]
  })
  // Object.fromEntries forgets which names the keys are.
  return Object.fromEntries(entries) as Record<Name, IdleDatabase>
}
