import type { CacheStore } from '@stepladder/cache'

/** Puts a record into a store as `set` does. */
export async function placeRecord(
  store: CacheStore,
  key: string,
  record: Buffer,
  forMs = 60_000,
): Promise<void> {
  await store.claim([{ key, token: 'placed', isTaking: true }], [], { leaseMs: 1_000, epochsMs: 1_000 })
  await store.set({ key, token: 'placed', record, forMs })
}
