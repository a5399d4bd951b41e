import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import type { Dialect, Kysely, KyselyProps } from 'kysely'
import { type AnyTables, asKysely } from './database.ts'
import type { KyselyInstance } from './instance.ts'
import { type Dependents, type Invalidates, isWholeCache } from './invalidates.ts'
import { Outbox } from './outbox.ts'
import { checkTableName, usualTable } from './outbox-table.ts'
import { WatchedDriver } from './watched-driver.ts'
import { WatchedExecutor } from './watched-executor.ts'
import { WriteWatch } from './write-watch.ts'

export interface InvalidateOnWriteOptions {
  /** Tells databases apart that share a cache: shards, tenants. Part of the keys and tags. Default: none. */
  readonly database?: string | undefined
  /**
   * What else changes when a table does, which no statement shows: views over it, what its triggers write, what
   * deletes cascade to, the table behind a view or around a partition that is written:
   * `{ airports: ['flights', 'departures_view'] }`.
   */
  readonly dependents?: Dependents | undefined
  /**
   * Writes what a transaction invalidates into the outbox, in that transaction, so that a crash after the commit
   * loses nothing; `relayOutbox` has to run somewhere. Default false.
   */
  readonly outbox?: boolean | undefined
  /** The outbox's name. Default `stepladder_cache_outbox`. */
  readonly outboxTable?: string | undefined
}

const owner = 'invalidateOnWrite'

/**
 * The same instance, watched: what it writes invalidates the cached queries over those tables, in a transaction
 * once, after its commit. When a write, or the transaction that it is in, has resolved, a cached read in this
 * process is new. Use it in place of `db` everywhere; what is written past it is not seen. Raw SQL that may write
 * is refused with `OpaqueStatementError` unless it names its tables by `writesTo`. Throws `InvalidOptionError`.
 */
export function invalidateOnWrite<Database extends KyselyInstance>(
  db: Database,
  cache: Invalidates,
  options: InvalidateOnWriteOptions = {},
): Database {
  checkOptionNames(owner, options, ['database', 'dependents', 'outbox', 'outboxTable'])
  const { database = '', dependents = {}, outbox = false, outboxTable = usualTable } = options
  if (typeof db?.getExecutor !== 'function' || db.isTransaction) {
    throw new InvalidOptionError(owner, 'db', db, 'a Kysely instance, and no transaction')
  }
  if (!isWholeCache(cache)) throw new InvalidOptionError(owner, 'cache', cache, 'a cache, and no namespace')
  if (!/^[\w.-]{0,64}$/.test(database)) {
    throw new InvalidOptionError(owner, 'database', database, 'of letters, digits, "_", "." and "-"')
  }
  if (!Object.values(dependents).every((names) => Array.isArray(names) && names.every(isText))) {
    throw new InvalidOptionError(owner, 'dependents', dependents, 'lists of tables, by table')
  }
  checkTableName(owner, 'outboxTable', outboxTable)
  const base = asKysely(db)
  const watch = new WriteWatch({
    ...{ cache, database, dependents, isDurable: outbox },
    outbox: new Outbox(base, outboxTable),
  })
  const driver = new WatchedDriver(base, watch)
  const executor = new WatchedExecutor(base.getExecutor().withConnectionProvider(driver), {
    database,
    isPrivate: false,
  })
  const dialect = dialectOf(base, driver)
  const watched = new (classOf(base))({ config: { dialect }, dialect, driver, executor })
  // Of the class that `db` is of, over the same tables.
  return watched as unknown as Database
}

function isText(name: unknown): boolean {
  return typeof name === 'string'
}

/** Kysely's own class, of the copy that the application uses: an application may have derived its own from it. */
function classOf(db: Kysely<AnyTables>): new (props: KyselyProps) => Kysely<AnyTables> {
  let prototype: object = Object.getPrototypeOf(db)
  while (!Object.hasOwn(prototype, 'getExecutor')) prototype = Object.getPrototypeOf(prototype)
  // A class's prototype names the class.
  return prototype.constructor as new (
    props: KyselyProps,
  ) => Kysely<AnyTables>
}

/** What of a dialect is asked after an instance is made; the rest is in its executor. */
function dialectOf(base: Kysely<AnyTables>, driver: WatchedDriver): Dialect {
  const { adapter } = base.getExecutor()
  return {
    createAdapter: () => adapter,
    createDriver: () => driver,
    createIntrospector: () => base.introspection,
    createQueryCompiler: () => base.getExecutor(),
  }
}
