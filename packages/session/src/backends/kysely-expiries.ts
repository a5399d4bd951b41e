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
    // Its table may not be there yet either.
    await this.#records.run(() => this.#putOffAlive(now))
    // Of two that delete a row, one gets it.
    const taken = await this.#tables.run((database) =>
      database
        .deleteFrom('stepladder_session_expiries')
        .where('sid', 'in', (eb) => this.#due(eb, now).select('due.sid').limit(most))
        .where('expires', '<=', now)
        .returning('about')
        .execute(),
    )
    return taken.map(({ about }) => about)
  }

  /** They are looked at again when their records end, as far as is known now. */
  #putOffAlive(now: number): Promise<unknown> {
    return this.#tables.run((database) =>
      database
        .updateTable('stepladder_session_expiries')
        .set(({ fn, lit, selectFrom }) => ({
          expires: fn.coalesce(
            selectFrom('stepladder_sessions')
              .select('stepladder_sessions.expires')
              .whereRef('stepladder_sessions.sid', '=', 'stepladder_session_expiries.sid'),
            lit(now),
          ),
        }))
        .where('sid', 'in', (eb) =>
          this.#due(eb, now)
            .innerJoin('stepladder_sessions as alive', 'alive.sid', 'due.sid')
            .where('alive.expires', '>', now)
            .select('due.sid'),
        )
        .execute(),
    )
  }

  #due(eb: ExpressionBuilder<ExpiryTables, 'stepladder_session_expiries'>, now: number) {
    return eb
      .selectFrom('stepladder_session_expiries as due')
      .where('due.expires', '<=', now)
      .where(({ eb, fn, lit }) =>
        eb(fn<string>('substr', ['due.sid', lit(1), lit(this.#prefix.length)]), '=', this.#prefix),
      )
  }
}
