export { leaseless } from './leaseless.ts'
export { MemoryStore } from './memory-store.ts'
export { type CacheStoreTools, type MakeCacheStore, testCacheStore } from './store-contract.ts'
export { testValueCodec, type ValueCodecTools } from './value-codec-contract.ts'
