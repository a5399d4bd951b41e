import type { CacheStore, Fill } from '../src/store/store.ts'

/**
 * The store as other caches use theirs: whoever loaded a value stores it, whatever was invalidated meanwhile.
 * For the control arm of a test: a harness that finds no stale read with this one would find none at all.
 */
export function leaseless(store: CacheStore): CacheStore {
  const take = (fills: readonly Fill[]) =>
    store.claim(
      fills.map(({ key, token }) => ({ key, token, isTaking: true })),
      [],
      { leaseMs: 60_000, epochsMs: 1 },
    )
  return {
    announces: store.announces,
    get: (keys) => store.get(keys),
    async claim(claims, tags, times) {
      const { claimed, epochs } = await store.claim(claims, tags, times)
      // Everybody may load.
      await store.release(claims)
      return {
        epochs,
        claimed: claimed.map(({ record }, index) => ({
          record,
          isGranted: record === null || claims[index]?.isForced === true || claims[index]?.isTaking === true,
        })),
      }
    },
    async fill(fills) {
      await take(fills)
      return store.fill(fills)
    },
    async set(fill) {
      await take([fill])
      return store.set(fill)
    },
    renew: async () => {},
    release: async () => {},
    invalidate: (invalidation) => store.invalidate(invalidation),
    epochs: (tags) => store.epochs(tags),
    close: () => store.close(),
  }
}
