import type { Clock } from '@stepladder/core'
import type { ExpressionBuilder, Kysely } from 'kysely'
import type { ExpiryIndex } from '../expiry/expiry-index.ts'
import { CreatedTables } from './created-tables.ts'
import { type ExpiryTables, expiriesTable } from './expiries-table.ts'
import type { SessionTables } from './sessions-table.ts'

/** Sessions whose end somebody waits for, in the table `stepladder_session_expiries`. */
export class KyselyExpiryIndex implements ExpiryIndex {
  readonly #tables: CreatedTables<ExpiryTables>
  readonly #records: CreatedTables<SessionTables>
  readonly #prefix: string
  readonly #clock: Clock

  constructor(
    database: Kysely<ExpiryTables>,
    records: CreatedTables<SessionTables>,
    prefix: string,
    clock: Clock,
  ) {
    this.#tables = new CreatedTables(database, expiriesTable)
    this.#records = records
    this.#prefix = prefix
    this.#clock = clock
  }

  async note(key: string, about: string, ttlMs: number): Promise<void> {
    const values = { about, expires: this.#clock.now() + ttlMs }
    await this.#tables.run((database) =>
      database
        .insertInto('stepladder_session_expiries')
        .values({ sid: this.#prefix + key, ...values })
        .onConflict((conflict) => conflict.column('sid').doUpdateSet(values))
        .execute(),
    )
  }

  async forget(key: string): Promise<boolean> {
    const { numDeletedRows } = await this.#tables.run((database) =>
      database
        .deleteFrom('stepladder_session_expiries')
        .where('sid', '=', this.#prefix + key)
        .executeTakeFirst(),
    )
    return numDeletedRows > 0n
  }

  async takeExpired(most: number): Promise<readonly string[]> {
    const now = this.#clock.now()
    const due = await this.#due(now, most)
    for (const { sid, alive } of due) if (alive !== null) await this.#putOff(sid, Number(alive), now)
    const gone = due.flatMap(({ sid, alive }) => (alive === null ? [sid] : []))
    if (gone.length === 0) return []
    // Of two that delete a row, one gets it.
    const taken = await this.#tables.run((database) =>
      database
        .deleteFrom('stepladder_session_expiries')
        .where('sid', 'in', gone)
        .where('expires', '<=', now)
        .returning('about')
        .execute(),
    )
    return taken.map(({ about }) => about)
  }

  #due(now: number, most: number) {
    const isOwn = ({ eb, fn, lit }: ExpressionBuilder<ExpiryTables, 'stepladder_session_expiries'>) =>
      eb(
        fn<string>('substr', ['stepladder_session_expiries.sid', lit(1), lit(this.#prefix.length)]),
        '=',
        this.#prefix,
      )
    // Its table may not be there yet either.
    return this.#records.run(() =>
      this.#tables.run((database) =>
        database
          .selectFrom('stepladder_session_expiries')
          .leftJoin('stepladder_sessions', (join) =>
            join
              .onRef('stepladder_sessions.sid', '=', 'stepladder_session_expiries.sid')
              .on('stepladder_sessions.expires', '>', now),
          )
          .select(['stepladder_session_expiries.sid', 'stepladder_sessions.expires as alive'])
          .where('stepladder_session_expiries.expires', '<=', now)
          .where(isOwn)
          .limit(most)
          .execute(),
      ),
    )
  }

  async #putOff(sid: string, expires: number, now: number): Promise<void> {
    await this.#tables.run((database) =>
      database
        .updateTable('stepladder_session_expiries')
        .set({ expires })
        .where('sid', '=', sid)
        .where('expires', '<=', now)
        .execute(),
    )
  }
}
