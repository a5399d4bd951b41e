export { leaseless } from './leaseless.ts'
export { MemoryStore } from './memory-store.ts'
export { testCacheStore } from './store-contract.ts'
