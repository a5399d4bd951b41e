import type { CacheStore } from '../src/store/store.ts'

/**
 * The store as other caches use theirs: whoever loaded a value stores it, whatever was invalidated meanwhile.
 * For the control arm of a test: a harness that finds no stale read with this one would find none at all.
 */
export function leaseless(store: CacheStore): CacheStore {
  return {
    get: (key) => store.get(key),
    lease: async (key) => ({ isGranted: true, record: await store.get(key) }),
    renew: async () => {},
    release: async () => {},
    fill: async (key, _token, record, forMs) => {
      await store.set(key, record, forMs)
      return true
    },
    set: (key, record, forMs) => store.set(key, record, forMs),
    invalidate: (keys, tags) => store.invalidate(keys, tags),
    epochs: (tags) => store.epochs(tags),
    ensureEpochs: (tags, forMs) => store.ensureEpochs(tags, forMs),
    close: () => store.close(),
  }
}
