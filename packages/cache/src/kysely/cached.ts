import type { EntryOptions } from '../call/wish.ts'
import { OpaqueStatementError, UncacheableQueryError } from './errors.ts'
import { isNode } from './nodes.ts'
import { type Origin, originOf } from './origin.ts'
import { queryKey } from './query-key.ts'
import { parseTable, tagsOfRead } from './table.ts'
import { type Reading, readTables } from './tables-read.ts'

/** What keeps the answers: a cache. */
export interface KeepsAnswers {
  getOrSet<T>(key: string, load: () => Promise<T>, options: EntryOptions<T>): Promise<T>
}

/** A select of Kysely, of any copy of the package. */
export interface CacheableQuery<Row> {
  compile(): { readonly sql: string; readonly parameters: readonly unknown[]; readonly query: object }
  execute(): Promise<Row[]>
}

/** All that a call may say about a value, and which tables the query reads where they cannot be seen. */
export interface CachedQueryOptions<Row = unknown> extends EntryOptions<Row[]> {
  /** Tables in raw SQL, behind views and in functions: `['flights', 'ops.seats']`. */
  readonly tables?: readonly string[] | undefined
}

/**
 * The rows of a select, from the cache or the database. A write to a table that it reads invalidates it, where the
 * write goes through an instance of `invalidateOnWrite`, as the query must. In a transaction, and on a connection
 * of its own (`db.connection()`), the query is executed and nothing is kept. The rows are shared: treat them as
 * read-only. Rejects with `UncacheableQueryError`, and with `OpaqueStatementError` where raw SQL may name tables
 * and neither `tables` nor `tags` are given.
 */
export async function cached<Row>(
  cache: KeepsAnswers,
  query: CacheableQuery<Row>,
  options: CachedQueryOptions<NoInfer<Row>> = {},
): Promise<Row[]> {
  const compiled = query.compile()
  const origin = originOf(compiled)
  if (!origin) throw new UncacheableQueryError('make its Kysely instance with `invalidateOnWrite(db, cache)`')
  if (origin.isPrivate) return query.execute()
  const { tables, ...entry } = options
  const key = queryKey(compiled.sql, compiled.parameters, origin)
  const wish = {
    ...entry,
    // Asked for when there is something to load: a hit does not look through the query.
    get tags(): readonly string[] {
      return tagsOf(compiled.query, origin, options)
    },
  }
  return cache.getOrSet(key, () => query.execute(), wish)
}

/** The first of the rows that `cached` would resolve to; undefined where there is none. */
export async function cachedFirst<Row>(
  cache: KeepsAnswers,
  query: CacheableQuery<Row>,
  options?: CachedQueryOptions<NoInfer<Row>>,
): Promise<Row | undefined> {
  return (await cached(cache, query, options))[0]
}

function tagsOf(
  query: object,
  { database }: Origin,
  { tables, tags }: Pick<CachedQueryOptions, 'tables' | 'tags'>,
): readonly string[] {
  const reading = checked(query)
  if (reading.opaque !== undefined && tables === undefined && tags === undefined) {
    throw new OpaqueStatementError('reads', reading.opaque)
  }
  const read = [...reading.tables, ...(tables ?? []).map(parseTable)]
  return [...read.flatMap((table) => tagsOfRead(database, table)), ...(tags ?? [])]
}

function checked(query: object): Reading {
  if (!isNode(query) || query.kind !== 'SelectQueryNode')
    throw new UncacheableQueryError('it is not a select')
  const reading = readTables(query)
  if (reading.effect) throw new UncacheableQueryError(`it ${reading.effect} what it reads`)
  return reading
}
