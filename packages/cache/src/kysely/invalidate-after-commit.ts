import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import type { DatabaseConnection } from 'kysely'
import type { Invalidation } from '../bus/bus.ts'
import { checkKey, checkTags } from '../call/key.ts'
import { asKysely } from './database.ts'
import type { KyselyTransaction } from './instance.ts'
import { rowsOf } from './outbox.ts'
import { checkTableName, usualTable } from './outbox-table.ts'
import { Session } from './session.ts'

export interface InvalidateAfterCommitOptions {
  readonly keys?: readonly string[] | undefined
  readonly tags?: readonly string[] | undefined
  /** Which cache. Default: that of the watched instance; a transaction of any other must say it. */
  readonly cache?: { readonly name: string; readonly prefix?: never } | undefined
  /** The outbox of an instance that is not watched. Default `stepladder_cache_outbox`. */
  readonly table?: string | undefined
}

const owner = 'invalidateAfterCommit'

/**
 * Invalidates when the transaction commits, and not at all when it rolls back. A row of the outbox, written in the
 * transaction, sees to it that a crash in between loses nothing; `relayOutbox` delivers what is left there. In a
 * transaction of an instance of `invalidateOnWrite`, the process that commits tells its cache at once as well.
 * Rejects with `InvalidKeyError` or `InvalidOptionError`.
 */
export async function invalidateAfterCommit(
  trx: KyselyTransaction,
  options: InvalidateAfterCommitOptions,
): Promise<void> {
  checkOptionNames(owner, options, ['keys', 'tags', 'cache', 'table'])
  const { keys = [], tags = [], cache, table = usualTable } = options
  if (!trx?.isTransaction) throw new InvalidOptionError(owner, 'trx', trx, 'a transaction of Kysely')
  for (const key of keys) checkKey(cache?.name ?? owner, key)
  checkTags(cache?.name ?? owner, tags)
  checkTableName(owner, 'table', table)
  if (cache && 'prefix' in cache) {
    throw new InvalidOptionError(owner, 'cache', cache, 'a cache, and no namespace: keys with their prefix')
  }
  const session = await sessionOf(trx)
  if (session && (cache === undefined || cache.name === session.watch.cache.name)) {
    return session.defer({ keys, tags })
  }
  if (!cache) {
    throw new InvalidOptionError(
      owner,
      'cache',
      cache,
      'given, since no `invalidateOnWrite` watches this instance',
    )
  }
  await writeRows(trx, table, cache.name, { keys, tags })
}

/** Nobody hears this transaction commit: a relay may take the rows as soon as it sees them. */
async function writeRows(
  trx: KyselyTransaction,
  table: string,
  cache: string,
  invalidation: Invalidation,
): Promise<void> {
  const rows = rowsOf(cache, invalidation, 0).map((row) => ({ ...row }))
  if (rows.length > 0) await asKysely(trx).withoutPlugins().insertInto(table).values(rows).execute()
}

async function sessionOf(trx: KyselyTransaction): Promise<Session | undefined> {
  const itself = async (connection: DatabaseConnection) =>
    connection instanceof Session ? connection : undefined
  return asKysely(trx).getExecutor().provideConnection(itself)
}
