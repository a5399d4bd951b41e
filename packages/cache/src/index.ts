export type { Bus, BusListener, Invalidation } from './bus/bus.ts'
export { RedisBus, type RedisBusOptions } from './bus/redis.ts'
export { WorkerChannelBus } from './bus/worker-channel.ts'
export { Cache } from './cache.ts'
export type { CacheLike, InvalidateOptions } from './cache-like.ts'
export type { PolicyOptions } from './call/policy.ts'
export type { EntryOptions } from './call/wish.ts'
export type { CompressOptions } from './codec/compression.ts'
export type { EncryptionKey, EncryptOptions } from './codec/encryption.ts'
export { jsonCodec } from './codec/json.ts'
export { type Msgpackr, msgpackrCodec } from './codec/msgpackr.ts'
export type { RecordOptions } from './codec/options.ts'
export type { ValueCodec } from './codec/value-codec.ts'
export { createCache } from './create-cache.ts'
export {
  CacheClosedError,
  InvalidKeyError,
  UnkeyableArgumentError,
  UnreadableRecordError,
  UnstorableValueError,
  ValueTooLargeError,
} from './errors.ts'
export type { CacheOptions } from './options.ts'
export type { LoadMany } from './read/load-group.ts'
export type { Load, LoadContext } from './read/loader.ts'
export type { ManyOptions } from './read/reader.ts'
export { RedisStore } from './store/redis.ts'
export { RedisLink } from './store/redis-link.ts'
export type { CacheStore, Claim, Claimed, Claims, ClaimTimes, Fill, Lease } from './store/store.ts'
export { cacheManagerStore, type KeyvClass } from './views/cache-manager-store.ts'
export type { CachedFunction, CachedManyFunction, Definition, ManyDefinition } from './views/define.ts'
export { type KeepWarmOptions, keepWarm } from './views/keep-warm.ts'
export { type KeyvStore, keyvStore } from './views/keyv-store.ts'
export { LocalCache, type LocalOptions } from './views/local-cache.ts'
export { type AsyncFunction, type Memoized, type MemoizeOptions, memoize } from './views/memoize.ts'
export { Namespace } from './views/namespace.ts'
export type { Keys, WarmOptions, WarmProgress, WarmResult } from './views/warm.ts'
export type { Delivery } from './write/writer.ts'
