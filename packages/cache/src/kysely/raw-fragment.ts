import { type Node, nodesAt, unwrapped } from './nodes.ts'

/** Stand in for what is between the pieces of raw SQL: a table or subquery that is seen as a node, or a value. */
const seenSource = '\u0001'
const otherPart = '\u0002'

/** The text of a raw fragment, with that of those inside it, and a mark where another node stands. */
export function rawText(node: Node): string {
  const pieces = Array.isArray(node.sqlFragments) ? node.sqlFragments.map(String) : []
  const parts = nodesAt(node, 'parameters')
  return pieces.map((piece, index) => piece + (index < parts.length ? partText(parts[index]!) : '')).join('')
}

/** As `rawText`, for people. */
export function shownText(node: Node): string {
  return node.kind === 'RawNode'
    ? rawText(node).replaceAll(seenSource, '…').replaceAll(otherPart, '…').trim()
    : node.kind
}

/** Whether the fragment is nothing but tables and subqueries that are nodes, as `sql.table('flights')` is. */
export function isTransparent(node: Node): boolean {
  return new RegExp(`^[\\s(${seenSource})]+$`).test(rawText(node)) && rawText(node).includes(seenSource)
}

const seenFrom = new RegExp(
  `\\b(?:from|join)\\s*\\(?\\s*${seenSource}\\s*\\)?(?:\\s+(?:as\\s+)?"?\\w+"?)?\\s*(?=\\)|$|\\b(?:on|where|group|order|limit)\\b)`,
  'gi',
)
const namesTables = /\b(?:from|join|into|using|table|update|call|execute)\b/i

/**
 * Whether a fragment may bring in a table that is not seen as a node: an expression such as `lower(name)` cannot,
 * `(select max(at) from flights)` can. Rather once too often: `extract(year from at)` counts as well.
 */
export function mayName(node: Node): boolean {
  return namesTables.test(rawText(node).replace(seenFrom, ' '))
}

function partText(part: Node): string {
  const inner = unwrapped(part)
  if (inner.kind === 'RawNode') return rawText(inner)
  return inner.kind === 'TableNode' || inner.kind === 'SelectQueryNode' ? seenSource : otherPart
}
