import {
  type Clock,
  checkOptionNames,
  type Duration,
  InvalidOptionError,
  ignoreReports,
  parseDuration,
  type Reporter,
  systemClock,
} from '@stepladder/core'
import type { ShardDatabase } from './database.ts'
import { InvalidPlacementError } from './errors.ts'
import type { FanOutLimits } from './fan-out.ts'
import { type KeyType, keyHashes } from './key.ts'
import { placeBuckets } from './place-buckets.ts'
import { isBucketCount, maxBuckets, ownersOf, type Placement } from './placement.ts'

export interface ShardsOptions<Db extends ShardDatabase, Key extends KeyType> {
  /** Named in errors and metrics. Default `'shards'`. */
  readonly name?: string | undefined
  /** The database of each shard, by the shard's name. */
  readonly shards: Readonly<Record<string, Db>>
  /** The type that the sharding key's column has in the database. It cannot change once rows are placed. */
  readonly key: Key
  /** How many buckets, a power of two up to 16384. Default 4096. It cannot change once rows are placed. */
  readonly buckets?: number | undefined
  /**
   * Who owns which buckets: a saved placement, or weights from which one is computed. Default: equal weights.
   * What is computed changes with the list of shards, so save `exportPlacement()` before the first row.
   */
  readonly placement?: Placement | Readonly<Record<string, number>> | undefined
  /** How many shards `all()` asks at the same time. Default 8. */
  readonly concurrency?: number | undefined
  /** How long `all()` takes at most, over all shards. Default 5 seconds; `Infinity` for no limit. */
  readonly timeout?: Duration | undefined
  /** `true` lets `close()` destroy the databases. Default `false`: they are the app's. */
  readonly ownsDatabases?: boolean | undefined
  readonly report?: Reporter | undefined
  readonly clock?: Clock | undefined
}

/** The options, checked, with their defaults; the rest of the module trusts them. */
export interface ShardsSettings<Db> extends FanOutLimits {
  readonly name: string
  /** For errors: `Shards "bookings"`. */
  readonly owner: string
  readonly key: KeyType
  /** By shard name, in the order of the names. */
  readonly databases: ReadonlyMap<string, Db>
  /** The shard of each bucket. */
  readonly owners: readonly string[]
  readonly ownsDatabases: boolean
  readonly report: Reporter
}

const known: readonly (keyof ShardsOptions<ShardDatabase, KeyType>)[] = [
  'name',
  'shards',
  'key',
  'buckets',
  'placement',
  'concurrency',
  'timeout',
  'ownsDatabases',
  'report',
  'clock',
]

export function settingsOf<Db extends ShardDatabase, Key extends KeyType>(
  options: ShardsOptions<Db, Key>,
): ShardsSettings<Db> {
  const { name = 'shards', key, timeout = 5_000, concurrency = 8, clock = systemClock } = options
  const { report = ignoreReports, ownsDatabases = false } = options
  const owner = `Shards "${name}"`
  checkOptionNames(owner, options, known)
  if (!Object.hasOwn(keyHashes, key)) {
    throw new InvalidOptionError(owner, 'key', key, `one of ${Object.keys(keyHashes).join(', ')}`)
  }
  if (!(Number.isInteger(concurrency) && concurrency > 0)) {
    throw new InvalidOptionError(owner, 'concurrency', concurrency, 'a whole number above 0')
  }
  const databases = checkedDatabases(owner, options.shards)
  return {
    name,
    owner,
    key,
    databases,
    owners: checkedOwners(owner, options, [...databases.keys()]),
    concurrency,
    timeoutMs: parseDuration(owner, 'timeout', timeout),
    clock,
    ownsDatabases,
    report,
  }
}

function checkedDatabases<Db extends ShardDatabase>(
  owner: string,
  shards: Readonly<Record<string, Db>>,
): Map<string, Db> {
  const entries = Object.entries(shards ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0)
    throw new InvalidOptionError(owner, 'shards', shards, 'an object of databases by name')
  const names = new Map<Db, string>()
  for (const [name, database] of entries) {
    if (typeof database?.destroy !== 'function') {
      throw new InvalidOptionError(owner, `shards.${name}`, database, 'a Kysely instance')
    }
    const twin = names.get(database)
    if (twin !== undefined) {
      // all() would ask it twice and return each row twice.
      throw new InvalidOptionError(
        owner,
        `shards.${name}`,
        database,
        `another instance than that of "${twin}"`,
      )
    }
    names.set(database, name)
  }
  return new Map(entries)
}

function checkedOwners(
  owner: string,
  { placement, buckets }: Pick<ShardsOptions<ShardDatabase, KeyType>, 'placement' | 'buckets'>,
  names: readonly string[],
): readonly string[] {
  if (buckets !== undefined && !isBucketCount(buckets)) {
    throw new InvalidOptionError(owner, 'buckets', buckets, `a power of two up to ${maxBuckets}`)
  }
  if (placement !== undefined && (typeof placement !== 'object' || placement === null)) {
    throw new InvalidOptionError(owner, 'placement', placement, 'a saved placement or weights by shard')
  }
  if (!isSaved(placement)) {
    const weights = placement ?? Object.fromEntries(names.map((name) => [name, 1]))
    checkSameNames(owner, names, Object.keys(weights))
    return ownersOf(placeBuckets({ buckets, shards: weights }))
  }
  const owners = ownersOf(placement)
  if (buckets !== undefined && buckets !== owners.length) {
    throw new InvalidOptionError(owner, 'buckets', buckets, `${owners.length}, as in the placement`)
  }
  const absent = [...new Set(owners)].filter((name) => !names.includes(name))
  if (absent.length > 0) {
    throw new InvalidPlacementError(
      `${owner} knows no database for ${absent.map((name) => `"${name}"`).join(', ')}, which owns buckets`,
    )
  }
  return owners
}

// A weight is a number, so a shard that happens to be named "shards" is told apart from a saved placement.
function isSaved(
  placement: Placement | Readonly<Record<string, number>> | undefined,
): placement is Placement {
  return typeof placement?.shards === 'object'
}

function checkSameNames(owner: string, names: readonly string[], weighted: readonly string[]): void {
  const missing = names.find((name) => !weighted.includes(name))
  if (missing !== undefined) {
    throw new InvalidOptionError(owner, `placement.${missing}`, undefined, 'the weight of that shard')
  }
  const unknown = weighted.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new InvalidOptionError(
      owner,
      `placement.${unknown}`,
      'a weight',
      'left out: there is no such shard',
    )
  }
}
