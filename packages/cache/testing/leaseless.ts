import type { CacheStore } from '../src/store/store.ts'

/**
 * The store as other caches use theirs: whoever loaded a value stores it, whatever was invalidated meanwhile.
 * For the control arm of a test: a harness that finds no stale read with this one would find none at all.
 */
export function leaseless(store: CacheStore): CacheStore {
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
          isGranted: record === null || claims[index]?.isForced === true,
        })),
      }
    },
    async fill(fills) {
      for (const { key, record, forMs } of fills) await store.set(key, record, forMs)
      return fills.map(() => true)
    },
    set: (key, record, forMs) => store.set(key, record, forMs),
    renew: async () => {},
    release: async () => {},
    invalidate: (invalidation) => store.invalidate(invalidation),
    epochs: (tags) => store.epochs(tags),
    close: () => store.close(),
  }
}
