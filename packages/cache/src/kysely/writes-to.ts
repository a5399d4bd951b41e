import type { KyselyPlugin } from 'kysely'
import { parseTable, type Table } from './table.ts'

/** By the identity of the statement, which stays when other plugins make it anew. */
const named = new WeakMap<object, readonly Table[]>()

/**
 * Names the tables that raw SQL writes, where they cannot be seen: `sql\`...\`.withPlugin(writesTo('flights'))`,
 * or on any of Kysely's builders. What can be seen is invalidated as well. Without a name: nothing that is cached.
 */
export function writesTo(...tables: readonly string[]): KyselyPlugin {
  const parsed = tables.map(parseTable)
  return {
    transformQuery: ({ node, queryId }) => {
      named.set(queryId, [...(named.get(queryId) ?? []), ...parsed])
      return node
    },
    transformResult: async ({ result }) => result,
  }
}

/** Undefined where nobody has named any. */
export function namedTables(queryId: object): readonly Table[] | undefined {
  return named.get(queryId)
}
