import { parseTable, type Table } from './table.ts'

/** A plugin of Kysely, of any copy of the package, that leaves everything as it is. */
export interface NamingPlugin {
  // Whatever node it is given, it returns that one, which is what Kysely's own types ask for.
  transformQuery<Node>(args: { readonly node: Node; readonly queryId: object }): Node
  transformResult<Result>(args: { readonly result: Result }): Promise<Result>
}

/** By the identity of the statement, which stays when other plugins make it anew. */
const named = new WeakMap<object, readonly Table[]>()

/**
 * Names the tables that raw SQL writes, where they cannot be seen: `sql\`...\`.withPlugin(writesTo('flights'))`,
 * or on any of Kysely's builders. What can be seen is invalidated as well. Without a name: nothing that is cached.
 */
export function writesTo(...tables: readonly string[]): NamingPlugin {
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
