import { type Clock, systemClock } from '@stepladder/core'
import type { Expression, ExpressionBuilder, Kysely, SqlBool } from 'kysely'
import type { Replaced, SessionBackend } from '../backend.ts'
import type { ExpiryIndex } from '../expiry/expiry-index.ts'
import type { UserIndex } from '../users/user-index.ts'
import { CreatedTables } from './created-tables.ts'
import type { ExpiryTables } from './expiries-table.ts'
import { KyselyExpiryIndex } from './kysely-expiries.ts'
import { KyselyUserIndex } from './kysely-users.ts'
import { type SessionTables, sessionsTable } from './sessions-table.ts'
import type { UserTables } from './users-table.ts'

/** A Kysely instance, whatever its tables, and whichever copy of Kysely made it. */
export interface KyselyDatabase {
  readonly schema: object
  selectFrom(...args: never[]): unknown
  insertInto(...args: never[]): unknown
  updateTable(...args: never[]): unknown
  deleteFrom(...args: never[]): unknown
}

export interface KyselySessionBackendOptions {
  /** The app's Kysely instance, on Postgres or SQLite. It stays open when the backend is closed. */
  readonly database: KyselyDatabase
  /** Stands before each id. Default `'sess:'`. */
  readonly prefix?: string | undefined
  readonly clock?: Clock | undefined
  /** Hears when expired rows could not be removed; that is tried again later. */
  readonly onError?: ((error: unknown) => void) | undefined
}

const pruneIntervalMs = 10 * 60_000

/** Sessions in the table `stepladder_sessions` of a SQL database, which is created when it is missing. */
export class KyselySessionBackend implements SessionBackend {
  readonly users: UserIndex
  readonly expiries: ExpiryIndex
  readonly #tables: CreatedTables<SessionTables>
  readonly #prefix: string
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #nextPruneAt: number

  constructor({
    database,
    prefix = 'sess:',
    clock = systemClock,
    onError = () => {},
  }: KyselySessionBackendOptions) {
    // The app's instance knows the app's tables; ours stands beside them in the same database.
    const own: unknown = database
    this.#tables = new CreatedTables(own as Kysely<SessionTables>, sessionsTable)
    this.users = new KyselyUserIndex(own as Kysely<UserTables>, prefix, clock, onError)
    this.expiries = new KyselyExpiryIndex(own as Kysely<ExpiryTables>, this.#tables, prefix, clock)
    this.#prefix = prefix
    this.#clock = clock
    this.#onError = onError
    this.#nextPruneAt = this.#pruneTime()
  }

  async get(id: string): Promise<string | undefined> {
    const row = await this.#tables.run((database) =>
      database
        .selectFrom('stepladder_sessions')
        .select('sess')
        .where('sid', '=', this.#prefix + id)
        .where('expires', '>', this.#clock.now())
        .executeTakeFirst(),
    )
    return row?.sess
  }

  async put(id: string, text: string, ttlMs: number): Promise<void> {
    const values = { sess: text, expires: this.#clock.now() + ttlMs }
    await this.#tables.run((database) =>
      database
        .insertInto('stepladder_sessions')
        .values({ sid: this.#prefix + id, ...values })
        .onConflict((conflict) => conflict.column('sid').doUpdateSet(values))
        .execute(),
    )
    this.#pruneNowAndThen()
  }

  async putNew(id: string, text: string, ttlMs: number): Promise<boolean> {
    const now = this.#clock.now()
    const values = { sess: text, expires: now + ttlMs }
    const row = await this.#tables.run((database) =>
      database
        .insertInto('stepladder_sessions')
        .values({ sid: this.#prefix + id, ...values })
        // A row whose time is over is missing, even while it is there.
        .onConflict((conflict) =>
          conflict.column('sid').doUpdateSet(values).where('stepladder_sessions.expires', '<=', now),
        )
        .returning('sid')
        .executeTakeFirst(),
    )
    return row !== undefined
  }

  async replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced> {
    const isDone = await this.#update(id, { sess: text, expires: this.#clock.now() + ttlMs }, expected)
    return isDone ? { isDone } : { isDone, current: await this.get(id) }
  }

  async touch(id: string, ttlMs: number): Promise<boolean> {
    return this.#update(id, { expires: this.#clock.now() + ttlMs })
  }

  async destroy(id: string): Promise<string | undefined> {
    const row = await this.#tables.run((database) =>
      database
        .deleteFrom('stepladder_sessions')
        .where('sid', '=', this.#prefix + id)
        .where('expires', '>', this.#clock.now())
        .returning('sess')
        .executeTakeFirst(),
    )
    return row?.sess
  }

  async all(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#tables.run((database) =>
      database
        .selectFrom('stepladder_sessions')
        .select(['sid', 'sess'])
        .where(hasPrefix(this.#prefix))
        .where('expires', '>', this.#clock.now())
        .execute(),
    )
    return new Map(rows.map(({ sid, sess }) => [sid.slice(this.#prefix.length), sess]))
  }

  async length(): Promise<number> {
    const { count } = await this.#tables.run((database) =>
      database
        .selectFrom('stepladder_sessions')
        .select(({ fn }) => fn.countAll().as('count'))
        .where(hasPrefix(this.#prefix))
        .where('expires', '>', this.#clock.now())
        .executeTakeFirstOrThrow(),
    )
    return Number(count)
  }

  async clear(): Promise<void> {
    await this.#tables.run((database) =>
      database.deleteFrom('stepladder_sessions').where(hasPrefix(this.#prefix)).execute(),
    )
  }

  async close(): Promise<void> {}

  /** One UPDATE decides and writes: of two processes with the same `expected`, the later one finds none. */
  async #update(id: string, values: { sess?: string; expires: number }, expected?: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#tables.run((database) =>
      database
        .updateTable('stepladder_sessions')
        .set(values)
        .where('sid', '=', this.#prefix + id)
        .where('expires', '>', this.#clock.now())
        .$if(expected !== undefined, (query) => query.where('sess', '=', expected ?? ''))
        .executeTakeFirst(),
    )
    return numUpdatedRows > 0n
  }

  /** In the background and seldom: reading passes over expired rows anyway. */
  #pruneNowAndThen(): void {
    const now = this.#clock.now()
    if (now < this.#nextPruneAt) return
    this.#nextPruneAt = this.#pruneTime()
    this.#tables
      .run((database) => database.deleteFrom('stepladder_sessions').where('expires', '<=', now).execute())
      .catch(this.#onError)
  }

  /** At another moment in each process, so that they do not prune together. */
  #pruneTime(): number {
    return this.#clock.now() + pruneIntervalMs * (0.5 + Math.random())
  }
}

/** Not LIKE: it would take `_` and `%` of a prefix for wildcards, and SQLite ignores its case. */
function hasPrefix(prefix: string) {
  return ({ eb, fn, lit }: ExpressionBuilder<SessionTables, 'stepladder_sessions'>): Expression<SqlBool> =>
    eb(fn<string>('substr', ['sid', lit(1), lit(prefix.length)]), '=', prefix)
}
