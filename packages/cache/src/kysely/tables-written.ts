import { childrenOf, type Node, nameIn, nodesAt, unwrapped } from './nodes.ts'
import { isTransparent, rawText, shownText } from './raw-fragment.ts'
import { controlOf, isReading, mayWrite } from './raw-statement.ts'
import { type Table, tableText } from './table.ts'

/** What a statement changes. */
export interface Writing {
  readonly tables: readonly Table[]
  /** The first part that may write a table which cannot be seen. */
  readonly opaque: string | undefined
}

/** Where each statement that changes something has the names of what it changes. */
const targets: Readonly<Record<string, readonly string[]>> = {
  InsertQueryNode: ['into'],
  UpdateQueryNode: ['table'],
  DeleteQueryNode: ['from'],
  MergeQueryNode: ['into'],
  CreateTableNode: ['table'],
  AlterTableNode: ['table', 'renameTo'],
  DropTableNode: ['table'],
  CreateViewNode: ['name'],
  DropViewNode: ['name'],
  RefreshMaterializedViewNode: ['name'],
}

const lists: ReadonlySet<string> = new Set(['FromNode', 'ListNode', 'RawNode'])

/** Looks at all of a statement, since a `with` may write as well. */
export function writtenTables(statement: Node): Writing {
  const tables = new Map<string, Table>()
  let opaque: string | undefined
  const add = (target: Node): void => {
    const table = nameIn(target)
    if (table) tables.set(tableText(table), table)
    else if (target.kind === 'RawNode' && !isTransparent(target)) opaque ??= shownText(target)
    else if (lists.has(target.kind)) for (const inner of childrenOf(target)) add(unwrapped(inner))
  }
  const visit = (node: Node): void => {
    for (const property of targets[node.kind] ?? []) {
      for (const target of nodesAt(node, property)) add(unwrapped(target))
    }
    if (hidesWrites(node, node === statement)) opaque ??= shownText(node)
    for (const child of childrenOf(node)) visit(child)
  }
  visit(statement)
  return { tables: [...tables.values()], opaque }
}

function hidesWrites(node: Node, isWhole: boolean): boolean {
  if (node.kind === 'DropSchemaNode') return true
  if (node.kind !== 'RawNode') return false
  const text = rawText(node)
  if (!isWhole) return mayWrite(text)
  return controlOf(text) === undefined && !isReading(text)
}
