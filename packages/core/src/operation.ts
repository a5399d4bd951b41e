/** What is done, and by whom. */
export interface Operation {
  /** Which kind of part speaks: `cache`, `session`, `queue`, `shard`, `cluster`, `breaker`. */
  readonly component: string
  /** Which one of them: the name it was constructed with. One of few, so it may be a metric's label. */
  readonly name: string
  /** What was asked: `get`, `write`, `route`. One of few. */
  readonly operation: string
}
