import type { CompiledQuery, Kysely } from 'kysely'
import type { KyselyInstance, KyselyTransaction } from './instance.ts'

/** Tables are named at run time, so their columns are unknown to the compiler. */
export type AnyTables = Record<string, Record<string, unknown>>

/** An instance by its full type: which tables that type knows does not matter to names that come at run time. */
export function asKysely(db: KyselyInstance | KyselyTransaction): Kysely<AnyTables> {
  return db as unknown as Kysely<AnyTables>
}

/** A statement of plain SQL. Kysely's own maker of these is code of its package, which is the application's. */
export function rawStatement(sql: string): CompiledQuery {
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const
  return { sql, parameters: [], query, queryId: { queryId: sql } }
}

/** Databases differ in how they let several readers share a table of work. */
export type DatabaseKind = 'postgres' | 'mysql' | 'sqlite'

/** Judged by the SQL that the instance makes, since instances of all databases look alike. */
export function kindOf(db: Kysely<AnyTables>): DatabaseKind {
  const { sql } = db.withoutPlugins().selectFrom('t').select('a').where('a', '=', 1).compile()
  if (sql.includes('`')) return 'mysql'
  return sql.includes('$1') ? 'postgres' : 'sqlite'
}
