import type { Kysely } from 'kysely'
import type { Backlog } from './backlog.ts'
import { type AnyTables, type DatabaseKind, kindOf } from './database.ts'

/** A row as a relay takes it. */
export interface TakenRow {
  readonly id: string
  readonly invalidation: string
}

/** A relay that was killed has its rows taken by another after so long, where the database does not see it end. */
const claimMs = 5_000
/** A row that is due later than this was written by a clock that runs ahead: its head start is over. */
const mostAheadMs = 60_000

/** The rows of one cache, for any number of relays at a time. */
export class OutboxRows {
  readonly #database: Kysely<AnyTables>
  readonly #table: string
  readonly #cache: string
  readonly #kind: DatabaseKind

  constructor(database: Kysely<AnyTables>, table: string, cache: string) {
    // Plugins may rename columns.
    this.#database = database.withoutPlugins()
    this.#table = table
    this.#cache = cache
    this.#kind = kindOf(database)
  }

  /**
   * Hands the oldest rows that are due and nobody else has, `limit` at most, to `deliver`, and takes them out when
   * it resolves to true. Resolves to how many there were. Those that are not delivered, in the end because the
   * process was killed, are there for the next.
   */
  async take(limit: number, deliver: (rows: readonly TakenRow[]) => Promise<boolean>): Promise<number> {
    return this.#kind === 'sqlite' ? this.#claim(limit, deliver) : this.#lock(limit, deliver)
  }

  async backlog(): Promise<Backlog> {
    const found = await this.#database
      .selectFrom(this.#table)
      .where('cache', '=', this.#cache)
      .select(({ fn }) => [fn.countAll().as('rows'), fn.min('created_at').as('oldest')])
      .executeTakeFirst()
    // Drivers give numbers of this size as texts or as bigints.
    const rows = Number(found?.rows ?? 0)
    return { rows, oldestMs: rows === 0 ? 0 : Math.max(0, Date.now() - Number(found?.oldest)) }
  }

  /** In a transaction, whose locks end with the connection of whoever is killed. */
  async #lock(limit: number, deliver: (rows: readonly TakenRow[]) => Promise<boolean>): Promise<number> {
    // Where it is stricter by default, MySQL would lock out who wants to add a row.
    const transaction = this.#database.transaction().setIsolationLevel('read committed')
    return transaction.execute(async (trx) => {
      const rows = takenRows(await this.#due(trx, limit).forUpdate().skipLocked().execute())
      if (rows.length > 0 && (await deliver(rows))) await this.#remove(trx, rows)
      return rows.length
    })
  }

  /** One process writes a file at a time, and a delivery may not keep the others waiting: the rows are marked. */
  async #claim(limit: number, deliver: (rows: readonly TakenRow[]) => Promise<boolean>): Promise<number> {
    const claimed = await this.#database
      .updateTable(this.#table)
      .set({ due_at: Date.now() + claimMs })
      .where('id', 'in', this.#due(this.#database, limit).clearSelect().select('id'))
      .returning(['id', 'invalidation'])
      .execute()
    const rows = takenRows(claimed)
    if (rows.length === 0) return 0
    if (await deliver(rows)) await this.#remove(this.#database, rows)
    else await this.#unclaim(rows)
    return rows.length
  }

  #due(database: Kysely<AnyTables>, limit: number) {
    const now = Date.now()
    return database
      .selectFrom(this.#table)
      .select(['id', 'invalidation'])
      .where('cache', '=', this.#cache)
      .where(({ or, eb }) => or([eb('due_at', '<=', now), eb('due_at', '>', now + mostAheadMs)]))
      .orderBy('created_at')
      .limit(limit)
  }

  async #remove(database: Kysely<AnyTables>, rows: readonly TakenRow[]): Promise<void> {
    const ids = rows.map(({ id }) => id)
    await database.deleteFrom(this.#table).where('id', 'in', ids).execute()
  }

  async #unclaim(rows: readonly TakenRow[]): Promise<void> {
    const ids = rows.map(({ id }) => id)
    await this.#database.updateTable(this.#table).set({ due_at: Date.now() }).where('id', 'in', ids).execute()
  }
}

function takenRows(rows: readonly Readonly<Record<string, unknown>>[]): TakenRow[] {
  return rows.map(({ id, invalidation }) => ({ id: String(id), invalidation: String(invalidation) }))
}
