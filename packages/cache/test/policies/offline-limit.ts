/** The hit ratio of who knows the future (Belady 1966): what goes is the key that is not asked for longest. */
export function offlineLimit(maxEntries: number, requests: readonly string[]): number {
  const nextUses = findNextUses(requests)
  const held = new Set<string>()
  // What is past stays in there, and never comes out: something that is held is always later.
  const uses = new LatestFirst()
  let hits = 0
  for (const [at, key] of requests.entries()) {
    if (held.has(key)) hits += 1
    else if (held.size === maxEntries) held.delete(requests[uses.take() % requests.length]!)
    held.add(key)
    uses.add(nextUses[at]!)
  }
  return hits / requests.length
}

/** For each request, where its key is asked for again; beyond the end for the last of a key. */
function findNextUses(requests: readonly string[]): number[] {
  const known = new Map<string, number>()
  const nextUses = requests.map((_, at) => requests.length + at)
  for (let at = requests.length - 1; at >= 0; at--) {
    const key = requests[at]!
    nextUses[at] = known.get(key) ?? nextUses[at]!
    known.set(key, at)
  }
  return nextUses
}

/** A heap. */
class LatestFirst {
  readonly #uses: number[] = []

  add(use: number): void {
    const uses = this.#uses
    let at = uses.length
    for (let above = (at - 1) >> 1; at > 0 && uses[above]! < use; above = (at - 1) >> 1) {
      uses[at] = uses[above]!
      at = above
    }
    uses[at] = use
  }

  take(): number {
    const uses = this.#uses
    const latest = uses[0]!
    const use = uses.pop()!
    let at = 0
    for (let below = 1; below < uses.length; below = 2 * at + 1) {
      if (below + 1 < uses.length && uses[below + 1]! > uses[below]!) below += 1
      if (uses[below]! <= use) break
      uses[at] = uses[below]!
      at = below
    }
    if (uses.length > 0) uses[at] = use
    return latest
  }
}
