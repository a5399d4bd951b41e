import { InvalidPlacementError } from './errors.ts'

/**
 * Which shard owns which buckets. It is data as much as the rows are: save it as JSON, change it only with
 * `placeBuckets`, and move the rows before it is used.
 */
export interface Placement {
  readonly version: 1
  readonly buckets: number
  /** For each shard its buckets as ranges, both ends included: `{ eu: '0-2047', us: '2048-4000,4095' }`. */
  readonly shards: Readonly<Record<string, string>>
}

/** The most buckets there can be: as many as Redis Cluster has slots. */
export const maxBuckets = 16_384

/** True for a power of two up to `maxBuckets`, so that a mask finds the bucket, here and in SQL. */
export function isBucketCount(buckets: unknown): buckets is number {
  return (
    typeof buckets === 'number' &&
    buckets >= 1 &&
    buckets <= maxBuckets &&
    Number.isInteger(Math.log2(buckets))
  )
}

/** The owner of each bucket. Throws `InvalidPlacementError` unless every bucket has exactly one. */
export function ownersOf(placement: Placement): string[] {
  const { version, buckets, shards } = placement
  if (version !== 1) throw new InvalidPlacementError(`version ${version} is not known here, only version 1`)
  if (!isBucketCount(buckets)) throw new InvalidPlacementError(`there cannot be ${buckets} buckets`)

  const owners: string[] = []
  let owned = 0
  for (const [shard, ranges] of Object.entries(shards)) {
    for (const bucket of readRanges(shard, ranges)) {
      if (bucket >= buckets)
        throw new InvalidPlacementError(`"${shard}" owns ${bucket}, beyond ${buckets} buckets`)
      const other = owners[bucket]
      if (other !== undefined) {
        throw new InvalidPlacementError(`bucket ${bucket} belongs to "${other}" and to "${shard}"`)
      }
      owners[bucket] = shard
      owned++
    }
  }
  if (owned < buckets)
    throw new InvalidPlacementError(`${buckets - owned} of ${buckets} buckets belong to nobody`)
  return owners
}

/** The placement in which these are the owners; `names` lists the shards, also those that own nothing. */
export function placementOf(owners: readonly string[], names: readonly string[]): Placement {
  const bucketsOf = new Map(names.map((name): [string, number[]] => [name, []]))
  for (const [bucket, owner] of owners.entries()) bucketsOf.get(owner)!.push(bucket)
  return {
    version: 1,
    buckets: owners.length,
    shards: Object.fromEntries(names.map((name) => [name, writeRanges(bucketsOf.get(name)!)])),
  }
}

function* readRanges(shard: string, ranges: string): Generator<number> {
  if (ranges === '') return
  for (const range of String(ranges).split(',')) {
    const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(range)
    const first = Number(match?.[1])
    const last = Number(match?.[2] ?? match?.[1])
    if (!(first <= last))
      throw new InvalidPlacementError(`"${shard}" owns "${range}", which is no range of buckets`)
    for (let bucket = first; bucket <= last; bucket++) yield bucket
  }
}

function writeRanges(buckets: readonly number[]): string {
  const ranges: { first: number; last: number }[] = []
  for (const bucket of buckets) {
    const open = ranges.at(-1)
    if (open?.last === bucket - 1) open.last = bucket
    else ranges.push({ first: bucket, last: bucket })
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}
