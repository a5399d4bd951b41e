export { bucketSql } from './bucket-sql.ts'
export type { ShardDatabase } from './database.ts'
export {
  InvalidPlacementError,
  InvalidShardKeyError,
  type ShardFailure,
  ShardUnavailableError,
} from './errors.ts'
export type { FanOutResult } from './fan-out.ts'
export { jumpHash } from './jump-hash.ts'
export type { KeyType, ShardKeys } from './key.ts'
export type { ShardsOptions } from './options.ts'
export { type PlaceBucketsOptions, placeBuckets } from './place-buckets.ts'
export type { Placement } from './placement.ts'
export { type BucketMove, planMoves } from './plan-moves.ts'
export { hashInt8Extended, hashTextExtended } from './postgres-hash.ts'
export { rendezvousHash } from './rendezvous-hash.ts'
export { type AllOptions, createShards, type ShardStats, type Shards, type ShardTask } from './shards.ts'
