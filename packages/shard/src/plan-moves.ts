import { InvalidPlacementError } from './errors.ts'
import { ownersOf, type Placement } from './placement.ts'

/** One bucket whose rows have to go from one shard to another. */
export interface BucketMove {
  readonly bucket: number
  readonly from: string
  readonly to: string
}

/** What has to move before `to` may replace `from`, by rising bucket. */
export function planMoves(from: Placement, to: Placement): BucketMove[] {
  if (from.buckets !== to.buckets) {
    throw new InvalidPlacementError(`one has ${from.buckets} buckets and the other ${to.buckets}`)
  }
  const newOwners = ownersOf(to)
  return ownersOf(from)
    .map((owner, bucket) => ({ bucket, from: owner, to: newOwners[bucket]! }))
    .filter((move) => move.from !== move.to)
}
