import { checkOptionNames, InvalidOptionError, SingleFlight } from '@stepladder/core'
import type { ControlledTransaction, Kysely } from 'kysely'
import { RowsQuarantinedError } from '../errors.ts'
import { encodeRow } from '../row-codec.ts'
import type { Applied, Batch, Sink } from '../sink.ts'
import { type AnyTables, ensureTables } from './kysely-tables.ts'
import { type RefusedRow, type UpsertTarget, upsert, upsertSparing } from './kysely-upsert.ts'
import { judgeSqlError } from './sql-error.ts'

/** Any Kysely instance of any copy of the package, 0.29 or later, on Postgres or SQLite. */
export interface KyselyDatabase {
  readonly schema: object
  startTransaction(): { execute(): Promise<object> }
}

export interface KyselySinkOptions {
  readonly database: KyselyDatabase
  readonly table: string
  /** The column or columns of a unique constraint. Without it rows are inserted, each batch once. */
  readonly key?: string | readonly string[] | undefined
  /** What happens to a row whose key is there already. Default `'update'` where there is a `key`. */
  readonly onConflict?: 'ignore' | 'update' | undefined
  /** Remembers which batches were applied; made when missing. Default `stepladder_ledger`. */
  readonly ledgerTable?: string | undefined
}

/**
 * Writes batches into a table, each batch exactly once however often it is delivered: its name goes into the
 * ledger in the same transaction. Rows that the database refuses for what they hold go to the table
 * `<ledgerTable>_dead`, in that transaction too, and their neighbours go in. Any other failure rejects and
 * changes nothing.
 */
export function kyselySink<Row extends object>(options: KyselySinkOptions): Sink<Row> {
  const { target, ledger, dead } = checkSinkOptions(options)
  // Every Kysely is one; which tables its type knows does not matter to names that come at run time.
  const database = options.database as unknown as Kysely<AnyTables>
  const opening = new SingleFlight<void>()
  let isOpen = false

  return async (delivered) => {
    if (!isOpen) await opening.run('', () => ensureTables(database, ledger, dead))
    isOpen = true
    // A row is an object; `Row` has no index signature when it is an interface.
    const batch = delivered as Batch<object> as Batch<Record<string, unknown>>
    try {
      return await applyOnce(database, ledger, batch, async (transaction) => {
        await upsert(transaction, target, batch.rows)
        return { outcome: 'applied' }
      })
    } catch (error) {
      if (judgeSqlError(error) !== 'data') throw error
    }
    return applyOnce(database, ledger, batch, async (transaction) => {
      const refused = await upsertSparing(transaction, target, batch.rows)
      return quarantine(transaction, dead, target.table, batch.id, refused)
    })
  }
}

/** Runs `apply` in one transaction with the ledger's row, unless the ledger has that row already. */
async function applyOnce(
  database: Kysely<AnyTables>,
  ledger: string,
  { id, rows }: Batch<unknown>,
  apply: (transaction: ControlledTransaction<AnyTables>) => Promise<Applied>,
): Promise<Applied> {
  const transaction = await database.startTransaction().execute()
  try {
    const entry = await transaction
      .insertInto(ledger)
      .values({ batch_id: id, row_count: rows.length, applied_at: Date.now() })
      // Waits while another delivery of the same batch is under way, and then sees its entry.
      .onConflict((conflict) => conflict.column('batch_id').doNothing())
      .executeTakeFirst()
    const applied: Applied =
      entry?.numInsertedOrUpdatedRows === 1n ? await apply(transaction) : { outcome: 'duplicate' }
    await transaction.commit().execute()
    return applied
  } catch (error) {
    // The first error tells what happened; a rollback over a broken connection adds nothing.
    if (!transaction.isCommitted)
      await transaction
        .rollback()
        .execute()
        .catch(() => {})
    throw error
  }
}

async function quarantine(
  transaction: ControlledTransaction<AnyTables>,
  dead: string,
  table: string,
  batchId: string,
  refused: readonly RefusedRow[],
): Promise<Applied> {
  for (const { ordinal, row, error } of refused) {
    await transaction
      .insertInto(dead)
      .values({
        ...{ batch_id: batchId, ordinal, target: table, row: encodeRow(row) },
        ...{ error: String(error).replaceAll('\0', ''), quarantined_at: Date.now() },
      })
      .execute()
  }
  const [first] = refused
  if (!first) return { outcome: 'applied' }
  return {
    outcome: 'quarantined',
    cause: new RowsQuarantinedError(refused.length, dead, { cause: first.error }),
  }
}

function checkSinkOptions(options: KyselySinkOptions): {
  target: UpsertTarget
  ledger: string
  dead: string
} {
  const owner = 'kyselySink'
  checkOptionNames(owner, options, ['database', 'table', 'key', 'onConflict', 'ledgerTable'])
  const { database, table, key = [], ledgerTable: ledger = 'stepladder_ledger' } = options
  if (typeof database?.startTransaction !== 'function') {
    throw new InvalidOptionError(owner, 'database', database, 'a Kysely instance, 0.29 or later')
  }
  if (typeof table !== 'string' || table === '') {
    throw new InvalidOptionError(owner, 'table', table, 'the name of a table')
  }
  const columns = typeof key === 'string' ? [key] : key
  const { onConflict = columns.length > 0 ? 'update' : undefined } = options
  if (onConflict === 'update' && columns.length === 0) {
    throw new InvalidOptionError(owner, 'key', undefined, "the unique key that onConflict 'update' goes by")
  }
  return { target: { table, key: columns, onConflict }, ledger, dead: `${ledger}_dead` }
}
