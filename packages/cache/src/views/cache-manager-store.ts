import type { CacheLike } from '../cache-like.ts'
import { type KeyvStore, keyvStore } from './keyv-store.ts'

/** What is asked of the class `Keyv`. */
export type KeyvClass<K extends object> = new (options: { store: KeyvStore; namespace: string }) => K

/**
 * A cache as a store of cache-manager 7, whose stores are instances of Keyv, made by the app's own class:
 * `createCache({ stores: [cacheManagerStore(cache, Keyv)] })`. Its keys stand under `cache-manager:`; values are what
 * the cache can carry, and are not turned into text before. What `keyvStore` says holds here.
 */
export function cacheManagerStore<K extends object>(cache: CacheLike, Keyv: KeyvClass<K>): K {
  const keyv = new Keyv({ store: keyvStore(cache), namespace: 'cache-manager' })
  // As cache-manager does it for its own memory: the cache has a codec already.
  return Object.assign(keyv, { serialize: undefined, deserialize: undefined })
}
