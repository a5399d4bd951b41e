/** What decides which keys stay, in a memory with room for so many. */
export interface Policy {
  get(key: string): unknown
  set(key: string, value: object): void
}

/** The share of the requests that find their key, where a request that does not sets it. */
export function hitRatio(policy: Policy, requests: readonly string[]): number {
  const value = { size: 1 }
  let hits = 0
  for (const key of requests) {
    if (policy.get(key) === undefined) policy.set(key, value)
    else hits += 1
  }
  return hits / requests.length
}
