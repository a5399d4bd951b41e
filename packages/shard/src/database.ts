/** What Stepladder needs of a shard's database: a Kysely instance of any version fits, with any dialect. */
export interface ShardDatabase {
  /** Lets go of its connections. Called only by shards that were created with `ownsDatabases: true`. */
  destroy(): Promise<void>
}
