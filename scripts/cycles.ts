/** Circles of a graph, each told once, beginning at the node that comes first in the graph. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const finished = new Set<string>()
  const path: string[] = []

  const visit = (node: string) => {
    if (finished.has(node)) return
    const seenAt = path.indexOf(node)
    if (seenAt >= 0) {
      cycles.push(path.slice(seenAt))
      return
    }
    path.push(node)
    for (const next of edges.get(node) ?? []) visit(next)
    path.pop()
    finished.add(node)
  }

  for (const node of edges.keys()) visit(node)
  return cycles
}
