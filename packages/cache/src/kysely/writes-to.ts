import { parseTable, type Table, tableText } from './table.ts'

/** A plugin of Kysely, of any copy of the package, that leaves everything as it is. */
export interface NamingPlugin {
  // Whatever node it is given, it returns that one, which is what Kysely's own types ask for.
  transformQuery<Node>(args: { readonly node: Node; readonly queryId: object }): Node
  transformResult<Result>(args: { readonly result: Result }): Promise<Result>
}

/** By the identity of the statement, which stays when other plugins make it anew. */
const named = new WeakMap<object, Map<string, Table>>()

/**
 * Names the tables that raw SQL writes, where they cannot be seen: `sql\`...\`.withPlugin(writesTo('flights'))`,
 * or on any of Kysely's builders. What can be seen is invalidated as well. Without a name: nothing that is cached.
 */
export function writesTo(...tables: readonly string[]): NamingPlugin {
  const parsed = tables.map(parseTable)
  return {
    transformQuery: ({ node, queryId }) => {
      // A statement that is kept and executed again passes here each time.
      const tables = named.get(queryId) ?? new Map<string, Table>()
      for (const table of parsed) tables.set(tableText(table), table)
      named.set(queryId, tables)
      return node
    },
    transformResult: async ({ result }) => result,
  }
}

/** Undefined where nobody has named any. */
export function namedTables(queryId: object): readonly Table[] | undefined {
  const tables = named.get(queryId)
  return tables && [...tables.values()]
}
