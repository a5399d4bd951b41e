/** A node of the tree that Kysely makes of a statement, of any of its versions: only the kind is relied upon. */
export interface Node {
  readonly kind: string
  readonly [property: string]: unknown
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string'
}

/** What is below a node, in the order in which Kysely keeps it. What an application passes as a value is no node. */
export function* childrenOf(node: Node): Generator<Node> {
  if (node.kind === 'ValueNode' || node.kind === 'PrimitiveValueListNode') return
  for (const value of Object.values(node)) {
    if (isNode(value)) yield value
    else if (Array.isArray(value)) yield* value.filter(isNode)
  }
}

/** The nodes under a property that holds one or several. */
export function nodesAt(node: Node, property: string): Node[] {
  const value = node[property]
  if (Array.isArray(value)) return value.filter(isNode)
  return isNode(value) ? [value] : []
}

/** What an alias or parentheses stand around. */
export function unwrapped(node: Node): Node {
  const inner = node.kind === 'AliasNode' || node.kind === 'ParensNode' ? nodesAt(node, 'node')[0] : undefined
  return inner ? unwrapped(inner) : node
}

interface Name {
  readonly schema: string | undefined
  readonly name: string
}

/** The name in a `TableNode`, or in the `SchemableIdentifierNode` that views have, in small letters. */
export function nameIn(node: Node): Name | undefined {
  const written = writtenName(node)
  return written && { schema: written.schema?.toLowerCase(), name: written.name.toLowerCase() }
}

/** As `nameIn`, in the letters of the statement: some databases tell `Flights` from `flights`. */
export function writtenName(node: Node): Name | undefined {
  const identifier = node.kind === 'TableNode' ? nodesAt(node, 'table')[0] : node
  if (identifier?.kind !== 'SchemableIdentifierNode') return undefined
  const name = nodesAt(identifier, 'identifier')[0]?.name
  const schema = nodesAt(identifier, 'schema')[0]?.name
  if (typeof name !== 'string') return undefined
  return { schema: typeof schema === 'string' ? schema : undefined, name }
}
