import { childrenOf, type Node, nameIn, nodesAt, unwrapped, writtenName } from './nodes.ts'
import { isTransparent, mayName, shownText } from './raw-fragment.ts'
import { type Table, tableText } from './table.ts'

/** What a query reads, and what speaks against keeping its answer. */
export interface Reading {
  readonly tables: readonly Table[]
  /** The first part that may name a table which cannot be seen. */
  readonly opaque: string | undefined
  /** Why the answer is no plain answer: the query writes, or locks what it reads. */
  readonly effect: 'writes' | 'locks' | undefined
}

/** Looks at all of a query: joins, subqueries, set operations and what `with` defines. */
export function readTables(query: Node): Reading {
  const search = new Search()
  search.visit(query, new Set())
  return { tables: [...search.tables.values()], opaque: search.opaque, effect: search.effect }
}

/**
 * Names that `with` gave to queries: where one is in force, it hides the table of that name. In the letters of the
 * statement, since one too few hides no table, and one too many would.
 */
type Scope = ReadonlySet<string>

const writing: ReadonlySet<string> = new Set([
  ...['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode', 'MergeQueryNode'],
])
/** Places for tables: what stands here and is neither a table nor a query can read anything. */
const sources: Readonly<Record<string, string>> = {
  FromNode: 'froms',
  JoinNode: 'table',
  UsingNode: 'tables',
}
const understood: ReadonlySet<string> = new Set(['TableNode', 'SelectQueryNode', 'ValuesNode', 'ListNode'])
const locking: ReadonlySet<unknown> = new Set(['ForUpdate', 'ForNoKeyUpdate', 'ForShare', 'ForKeyShare'])

class Search {
  readonly tables = new Map<string, Table>()
  opaque: string | undefined
  effect: Reading['effect']

  visit(node: Node, outer: Scope): void {
    // A reference names what another part of the query has brought in, by its alias most often.
    if (node.kind === 'ReferenceNode' || node.kind === 'CommonTableExpressionNameNode') return
    if (node.kind === 'TableNode') this.#found(node, outer)
    else if (node.kind === 'SelectModifierNode') this.#modifier(node, outer)
    else this.#visitPart(node, outer)
  }

  #visitPart(node: Node, outer: Scope): void {
    const { kind } = node
    if (writing.has(kind)) this.effect = 'writes'
    if (kind === 'RawNode' && mayName(node)) this.opaque ??= shownText(node)
    const place = sources[kind]
    if (place !== undefined) for (const source of nodesAt(node, place)) this.#source(source)
    const scope = this.#define(node, outer)
    const isCall = kind === 'FunctionNode' || kind === 'AggregateFunctionNode'
    for (const child of childrenOf(node)) {
      // `to_json(f)` is given a row of what `f` names.
      if (child.kind !== 'WithNode' && !(isCall && child.kind === 'TableNode')) this.visit(child, scope)
    }
  }

  /** The queries of a `with` see those before them, and themselves where it is recursive; some databases show them more. */
  #define(node: Node, outer: Scope): Scope {
    const clause = nodesAt(node, 'with')[0]
    if (clause?.kind !== 'WithNode') return outer
    let scope = outer
    for (const expression of nodesAt(clause, 'expressions')) {
      const within = new Set([...scope, definedName(expression)])
      this.visit(expression, clause.recursive === true ? within : scope)
      scope = within
    }
    return scope
  }

  #found(node: Node, scope: Scope): void {
    const written = writtenName(node)
    const table = nameIn(node)
    if (!written || !table || (written.schema === undefined && scope.has(written.name))) return
    this.tables.set(tableText(table), table)
  }

  #source(node: Node): void {
    const source = unwrapped(node)
    if (understood.has(source.kind) || (source.kind === 'RawNode' && isTransparent(source))) return
    this.opaque ??= shownText(source)
  }

  #modifier(node: Node, scope: Scope): void {
    if (locking.has(node.modifier)) this.effect ??= 'locks'
    for (const raw of nodesAt(node, 'rawModifier')) this.visit(raw, scope)
  }
}

function definedName(expression: Node): string {
  const table = nodesAt(expression, 'name').flatMap((name) => nodesAt(name, 'table'))[0]
  return (table && writtenName(table)?.name) ?? ''
}
