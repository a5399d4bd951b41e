import { InvalidOptionError, retry } from '@stepladder/core'
import { asKysely, kindOf, rawStatement } from './database.ts'
import type { KyselyInstance } from './instance.ts'

/** The outbox's name unless told otherwise. */
export const usualTable = 'stepladder_cache_outbox'

/** On Postgres, the channel on which `createOutboxTable(db, { notify: true })` tells of new rows. */
export const notifyChannel = 'stepladder_cache_outbox'

export interface OutboxTableOptions {
  /** Default `stepladder_cache_outbox`. */
  readonly table?: string | undefined
  /** Postgres only: a trigger tells relays that listen of new rows at their commit. Default false. */
  readonly notify?: boolean | undefined
}

/** A row of the outbox: what to invalidate in which cache, and from when on a relay may do it. */
export interface OutboxRow {
  readonly id: string
  readonly cache: string
  /** `{ keys, tags }` as JSON. */
  readonly invalidation: string
  /** Milliseconds since the epoch, as are all times in it. */
  readonly created_at: number
  readonly due_at: number
}

/** Makes the outbox unless it is there; the guide on cached queries has the same as SQL. For migrations. */
export async function createOutboxTable(db: KyselyInstance, options: OutboxTableOptions = {}): Promise<void> {
  const { table = usualTable, notify = false } = options
  checkTableName('createOutboxTable', 'table', table)
  const database = asKysely(db)
  if (notify && kindOf(database) !== 'postgres') {
    throw new InvalidOptionError('createOutboxTable', 'notify', notify, 'left out but on Postgres')
  }
  const create = database.schema
    .createTable(table)
    .ifNotExists()
    .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
    .addColumn('cache', 'varchar(64)', (column) => column.notNull())
    .addColumn('invalidation', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
  // Two processes that create a table at the same moment do collide in Postgres in spite of IF NOT EXISTS.
  await retry(() => create.execute(), { attempts: 3 })
  if (notify) for (const sql of triggerOf(table)) await database.getExecutor().executeQuery(rawStatement(sql))
}

/** Letters, digits and `_`, with a schema or without: it stands in SQL that is not made by Kysely. */
export function checkTableName(owner: string, option: string, table: unknown): asserts table is string {
  if (typeof table === 'string' && /^(?:\w+\.)?\w{1,48}$/.test(table)) return
  throw new InvalidOptionError(owner, option, table, 'the name of a table: letters, digits and "_"')
}

function triggerOf(table: string): string[] {
  const quoted = table.split('.').map((part) => `"${part}"`)
  const trigger = `${quoted.join('.').slice(0, -1)}_notify"`
  return [
    `create or replace function ${trigger}() returns trigger language plpgsql as ` +
      `$$ begin perform pg_notify('${notifyChannel}', ''); return null; end $$`,
    `create or replace trigger "outbox_notify" after insert on ${quoted.join('.')} ` +
      `for each statement execute function ${trigger}()`,
  ]
}
