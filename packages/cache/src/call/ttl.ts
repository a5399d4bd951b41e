/** Shortens a TTL by a random share of up to `jitter`, so that what was stored together does not expire together. */
export function spreadDown(ttlMs: number, jitter: number, random: () => number = Math.random): number {
  return Math.max(1, Math.round(ttlMs * (1 - jitter * random())))
}
