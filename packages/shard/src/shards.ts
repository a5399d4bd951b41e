import {
  begin,
  type Closeable,
  checkOptionNames,
  closeAll,
  type Duration,
  inside,
  parseDuration,
} from '@stepladder/core'
import { bucketSql } from './bucket-sql.ts'
import type { ShardDatabase } from './database.ts'
import { ShardUnavailableError } from './errors.ts'
import { type FanOutResult, fanOut } from './fan-out.ts'
import { type KeyHash, type KeyType, keyHashes, type ShardKeys } from './key.ts'
import { type ShardsOptions, type ShardsSettings, settingsOf } from './options.ts'
import { type Placement, placementOf } from './placement.ts'

export interface AllOptions {
  /** How long it takes at most, over all shards. Default: the shards' own `timeout`. */
  readonly timeout?: Duration | undefined
  /** `true` returns the values that came, next to the failures, instead of throwing. Default `false`. */
  readonly partial?: boolean | undefined
}

/** What one shard holds, and how often `for()` chose it in this process. */
export interface ShardStats {
  readonly shard: string
  readonly buckets: number
  readonly routed: number
}

/** What `all()` runs on each shard. The signal is aborted when the time is up. */
export type ShardTask<Db, T> = (db: Db, shard: string, signal: AbortSignal) => Promise<T>

/**
 * Many databases behind one key. There is no default shard: a query has a key and goes to one database, or
 * it says `all()`. Throws `InvalidOptionError`, `UnknownOptionError` or `InvalidPlacementError` when the
 * options cannot be used. Connects to nothing by itself.
 */
export function createShards<Db extends ShardDatabase, Key extends KeyType>(
  options: ShardsOptions<Db, Key>,
): Shards<Db, Key> {
  return new Shards(settingsOf(options))
}

/** Made by `createShards`. */
export class Shards<Db extends ShardDatabase, Key extends KeyType> implements Closeable {
  readonly #settings: ShardsSettings<Db>
  readonly #hash: KeyHash
  readonly #names: readonly string[]
  readonly #databases: readonly Db[]
  /** Bucket to position in `#names` and `#databases`. */
  readonly #positions: Uint16Array
  readonly #routed: number[]
  readonly #underWay = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(settings: ShardsSettings<Db>) {
    this.#settings = settings
    this.#hash = keyHashes[settings.key]
    this.#names = [...settings.databases.keys()]
    this.#databases = [...settings.databases.values()]
    const positionOf = new Map(this.#names.map((name, position) => [name, position]))
    this.#positions = Uint16Array.from(settings.owners, (owner) => positionOf.get(owner)!)
    this.#routed = this.#names.map(() => 0)
  }

  /**
   * The database that holds the rows of this key, in well under a microsecond. Throws `InvalidShardKeyError`
   * for `undefined`, `null` and everything else that is no key of the declared type.
   */
  for(key: ShardKeys[Key]): Db {
    const position = this.#positions[this.bucketOf(key)]!
    this.#routed[position]!++
    return this.#databases[position]!
  }

  /** The name of the shard that owns this key. Throws as `for()`, and is not counted in `stats()`. */
  shardOf(key: ShardKeys[Key]): string {
    return this.#names[this.#positions[this.bucketOf(key)]!]!
  }

  /** The bucket of this key, from 0; the same in every process, and in SQL by `bucketSql`. Throws as `for()`. */
  bucketOf(key: ShardKeys[Key]): number {
    // The number of buckets is a power of two, so the hash's low bits are its remainder.
    return this.#hash(this.#settings.owner, key).low & (this.#positions.length - 1)
  }

  /**
   * The bucket as a Postgres expression of type int, for example `shards.bucketSql('customer_id')`. The
   * argument is SQL and goes in as it stands: a column of yours, never user input.
   */
  bucketSql(expression: string): string {
    return bucketSql(this.#settings.key, this.#positions.length, expression)
  }

  /**
   * Runs `task` on every shard, a few at the same time, and returns the values in the order of `names`.
   * Ends within `timeout`. If a shard fails or is late it rejects with `ShardUnavailableError`, which names
   * every such shard, once all have ended; the others have run, so let a task that writes be repeatable.
   */
  async all<T>(
    task: ShardTask<Db, T>,
    options?: AllOptions & { readonly partial?: false | undefined },
  ): Promise<T[]>
  async all<T>(
    task: ShardTask<Db, T>,
    options: AllOptions & { readonly partial: true },
  ): Promise<FanOutResult<T>>
  async all<T>(task: ShardTask<Db, T>, options: AllOptions = {}): Promise<T[] | FanOutResult<T>> {
    const { name, owner, databases, report, clock } = this.#settings
    const { timeout, partial = false } = options
    checkOptionNames(owner, options, ['timeout', 'partial'])
    const timeoutMs =
      timeout === undefined ? this.#settings.timeoutMs : parseDuration(owner, 'timeout', timeout)
    const end = begin({ component: 'shard', name, operation: 'all' }, report, clock)

    const asked = inside(end, () =>
      fanOut(this.#names, { ...this.#settings, timeoutMs }, (shard, signal) =>
        task(databases.get(shard)!, shard, signal),
      ),
    )
    const { values, failures } = await this.#untilDone(asked)

    if (failures.length === 0) {
      end('complete')
      return partial ? { values, failures } : values
    }
    const unavailable = new ShardUnavailableError(owner, failures)
    end(partial && values.length > 0 ? 'partial' : 'failed', unavailable)
    if (partial) return { values, failures }
    throw unavailable
  }

  async #untilDone<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  /** The names of the shards, sorted. */
  get names(): readonly string[] {
    return this.#names
  }

  /** For each shard, in the order of `names`, what it owns and how often it was chosen. */
  stats(): ShardStats[] {
    const buckets = this.#names.map(() => 0)
    for (const position of this.#positions) buckets[position]!++
    return this.#names.map((shard, position) => ({
      shard,
      buckets: buckets[position]!,
      routed: this.#routed[position]!,
    }))
  }

  /** Who owns which buckets, to be saved as JSON and given back as `placement`. */
  exportPlacement(): Placement {
    return placementOf(this.#settings.owners, this.#names)
  }

  /** Waits for every `all()` under way; with `ownsDatabases` it then destroys the databases. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.all(this.#underWay)
    if (!this.#settings.ownsDatabases) return
    await closeAll(this.#databases.map((database) => ({ close: () => database.destroy() })))
  }
}
