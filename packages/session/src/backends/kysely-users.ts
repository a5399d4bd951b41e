import type { Clock } from '@stepladder/core'
import type { Kysely } from 'kysely'
import type { Admission, Room, UserIndex } from '../users/user-index.ts'
import { CreatedTables } from './created-tables.ts'
import { type UserTables, usersTable } from './users-table.ts'

/** The sessions of each user in the table `stepladder_session_users`. */
export class KyselyUserIndex implements UserIndex {
  readonly #tables: CreatedTables<UserTables>
  readonly #prefix: string
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #nextPruneAt: number

  constructor(database: Kysely<UserTables>, prefix: string, clock: Clock, onError: (error: unknown) => void) {
    this.#tables = new CreatedTables(database, usersTable)
    this.#prefix = prefix
    this.#clock = clock
    this.#onError = onError
    this.#nextPruneAt = clock.now() + pruneIntervalMs * (0.5 + Math.random())
  }

  async admit(user: string, key: string, ttlMs: number, { most, whenFull }: Room): Promise<Admission> {
    const user_id = this.#prefix + user
    return this.#tables.run((database) =>
      database.transaction().execute(async (transaction) => {
        await lockList(transaction, user_id, this.#clock.now() + ttlMs)
        const listed = await this.#alive(transaction, user)
        const others = listed.filter((other) => other !== key)
        const tooMany = Math.max(0, others.length + 1 - most)
        if (tooMany > 0 && whenFull === 'refuse') return { isAdmitted: false }
        await this.#write(transaction, user, key, ttlMs)
        return { isAdmitted: true, over: others.slice(0, tooMany) }
      }),
    )
  }

  async renew(user: string, key: string, ttlMs: number): Promise<void> {
    await this.#tables.run((database) => this.#write(database, user, key, ttlMs))
    this.#pruneNowAndThen()
  }

  async remove(user: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    await this.#tables.run((database) =>
      database
        .deleteFrom('stepladder_session_users')
        .where('user_id', '=', this.#prefix + user)
        .where('sid', 'in', keys)
        .execute(),
    )
  }

  async list(user: string): Promise<readonly string[]> {
    return this.#tables.run((database) => this.#alive(database, user))
  }

  async users(): Promise<readonly string[]> {
    const rows = await this.#tables.run((database) =>
      database
        .selectFrom('stepladder_session_users')
        .select('user_id')
        .distinct()
        .where(({ eb, fn, lit }) =>
          // Not LIKE: it would take `_` and `%` of a prefix for wildcards, and SQLite ignores its case.
          eb(fn<string>('substr', ['user_id', lit(1), lit(this.#prefix.length)]), '=', this.#prefix),
        )
        .where('sid', '!=', lockRow)
        .where('expires', '>', this.#clock.now())
        .execute(),
    )
    return rows.map(({ user_id }) => user_id.slice(this.#prefix.length))
  }

  async #alive(database: Kysely<UserTables>, user: string): Promise<string[]> {
    const rows = await database
      .selectFrom('stepladder_session_users')
      .select('sid')
      .where('user_id', '=', this.#prefix + user)
      .where('sid', '!=', lockRow)
      .where('expires', '>', this.#clock.now())
      .orderBy('expires')
      .orderBy('sid')
      .execute()
    return rows.map(({ sid }) => sid)
  }

  async #write(database: Kysely<UserTables>, user: string, sid: string, ttlMs: number): Promise<void> {
    const expires = this.#clock.now() + ttlMs
    await database
      .insertInto('stepladder_session_users')
      .values({ user_id: this.#prefix + user, sid, expires })
      .onConflict((conflict) =>
        conflict
          .columns(['user_id', 'sid'])
          .doUpdateSet({ expires })
          .where('stepladder_session_users.expires', '<', expires),
      )
      .execute()
  }

  /** In the background and seldom: expired rows are passed over anyway. */
  #pruneNowAndThen(): void {
    const now = this.#clock.now()
    if (now < this.#nextPruneAt) return
    this.#nextPruneAt = now + pruneIntervalMs * (0.5 + Math.random())
    this.#tables
      .run((database) =>
        database.deleteFrom('stepladder_session_users').where('expires', '<=', now).execute(),
      )
      .catch(this.#onError)
  }
}

/** No session's key is empty: this row of a user's stands for the whole list. */
const lockRow = ''
const pruneIntervalMs = 10 * 60_000

/** Whoever writes the row has the list to itself until its transaction ends: the others wait, or are told to come again. */
async function lockList(transaction: Kysely<UserTables>, user_id: string, expires: number): Promise<void> {
  await transaction
    .insertInto('stepladder_session_users')
    .values({ user_id, sid: lockRow, expires })
    .onConflict((conflict) => conflict.columns(['user_id', 'sid']).doUpdateSet({ expires }))
    .execute()
}
