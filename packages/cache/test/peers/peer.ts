/**
 * A cache as an app uses it for one kind of value: ours, and those that it is compared with. Each is made as its
 * own manual advises for memory, Redis and a bus between processes; where the manual offers a faster way that
 * fits the case, it has that.
 */
export interface Peer {
  readonly name: string
  readonly hasTags: boolean
  /** One process's end of a cache; nodes with the same `name` and `redis` share their values. */
  open(options: NodeOptions): Promise<PeerNode>
}

export interface NodeOptions {
  readonly name: string
  /** Undefined: in the memory of this process alone. */
  readonly redis?: string | undefined
  /** Asked for what nobody has. */
  readonly load: (key: string) => Promise<unknown>
  /** Under which names a value can be invalidated together with others. Default: none. */
  readonly tagsOf?: TagsOf | undefined
  /** Whole seconds, since one of them counts in these. Default a minute. */
  readonly ttlMs?: number | undefined
  /** Values in memory. Default 10,000. */
  readonly maxEntries?: number | undefined
  /** How long a read may wait for Redis before it does without, where a cache can do that. Default: its own. */
  readonly readBudgetMs?: number | undefined
}

export type TagsOf = (key: string) => readonly string[]

export interface PeerNode {
  /** The value, loaded when nobody has it. */
  get(key: string): Promise<unknown>
  /** Drops one value everywhere. */
  invalidate(key: string): Promise<unknown>
  /** Drops every value with the tag; undefined without tags. */
  readonly invalidateTag?: ((tag: string) => Promise<unknown>) | undefined
  close(): Promise<void>
}

export const usualTtlMs = 60_000
export const usualMaxEntries = 10_000
export const noTags: TagsOf = () => []
