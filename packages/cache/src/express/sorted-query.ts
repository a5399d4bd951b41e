/** Parsers of queries stop at a thousand; from here on the order decides which ones they drop. */
const mostPairs = 100

/**
 * A query with its parameters in the order of their names, so that `?b=2&a=1` and `?a=1&b=2` are one. Values that
 * belong to one name keep their order, and nothing is decoded: a handler that repeats its URL would otherwise hand
 * one client's raw characters to another. What parsers read differently by its order stays as it is.
 */
export function sortedQuery(query: string): string {
  // Most have one parameter or none.
  if (!query.includes('&') || query.includes('#')) return query
  const pairs = query.split('&')
  if (pairs.length > mostPairs) return query
  const named: [name: string, pair: string][] = []
  for (const pair of pairs) {
    const name = baseName(pair)
    if (name === undefined) return query
    named.push([name, pair])
  }
  // A stable sort: `a=1&a=2` is not `a=2&a=1`.
  named.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
  return named.map(([, pair]) => pair).join('&')
}

/** Of `a=1`, `a[]=1`, `a[b]=1`, `a.b=1` and `%61=1` alike `a`: parsers gather them in one value. Undefined: malformed. */
function baseName(pair: string): string | undefined {
  const [name = ''] = pair.split('=', 1)
  try {
    const decoded =
      name.includes('%') || name.includes('+') ? decodeURIComponent(name.replaceAll('+', ' ')) : name
    return decoded.split(/[[.]/, 1)[0]
  } catch {
    return undefined
  }
}
