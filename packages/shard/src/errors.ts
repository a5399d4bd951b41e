import { reasonOf, StepladderError } from '@stepladder/core'

/** Thrown where a key comes in that cannot name a shard. Nothing was asked of any database. */
export class InvalidShardKeyError extends StepladderError {
  readonly code = 'INVALID_SHARD_KEY'

  constructor(owner: string, key: unknown, expected: string) {
    super(`${owner}: a key must be ${expected}, but is ${describe(key)}`)
  }
}

/** Thrown when a placement is damaged, or does not fit the shards or buckets it is to be used with. */
export class InvalidPlacementError extends StepladderError {
  readonly code = 'INVALID_PLACEMENT'

  constructor(problem: string) {
    super(`Placement: ${problem}`)
  }
}

/** One shard that gave no answer, and why. */
export interface ShardFailure {
  readonly shard: string
  readonly cause: unknown
}

/**
 * Thrown by `all()` when a shard failed or did not answer in time. `failures` names each such shard with
 * what went wrong there; `cause` is the first of them.
 */
export class ShardUnavailableError extends StepladderError {
  readonly code = 'SHARD_UNAVAILABLE'
  readonly failures: readonly ShardFailure[]

  constructor(owner: string, failures: readonly ShardFailure[]) {
    const reasons = failures.map(({ shard, cause }) => `"${shard}" (${reasonOf(cause)})`)
    super(`${owner}: no answer from ${reasons.join(', ')}`, { cause: failures[0]?.cause })
    this.failures = failures
  }

  /** The names of the shards that gave no answer. */
  get shards(): string[] {
    return this.failures.map(({ shard }) => shard)
  }
}

function describe(key: unknown): string {
  if (key === null || key === undefined) return String(key)
  // Of an object only the kind is told: it may be large, and it may hold what must not be logged.
  if (typeof key === 'object') return Array.isArray(key) ? 'an array' : 'an object'
  if (typeof key === 'function' || typeof key === 'symbol') return `a ${typeof key}`
  const text = typeof key === 'string' ? JSON.stringify(key) : String(key)
  return `${text.length > 80 ? `${text.slice(0, 79)}…` : text} (${typeof key})`
}
