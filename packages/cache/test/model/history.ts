/** A change of rows, and the invalidation that the app made after it was committed. */
interface Change {
  /** The rows, each with the version that it had after the change. */
  readonly rows: readonly Row[]
  /** When the invalidation had resolved, in the time of the scenario. */
  readonly at: number
  /** The node that was asked. */
  readonly by: number
  /** `done`: everybody was told. `queued`: only the node that was asked knows. */
  delivery: 'done' | 'queued'
}

export interface Row {
  readonly key: string
  readonly version: number
}

/** A read that is under way. */
export interface Asked {
  readonly node: number
  readonly key: string
  /** The oldest version that it may be given. */
  readonly least: number
}

/**
 * The rows of a database, and what a cache over them may serve. The rule, in full:
 *
 * A read that begins at time t at node N may be given version v of a row unless a newer version was committed and its
 * invalidation had resolved by t, and
 * - N is the node that was asked to invalidate (whether it said `done` or `queued`), or
 * - it said `done` at t - fence or before, where the fence of a strong read is 0.
 *
 * Nothing else is asked of old values; and a value is never of another row, nor of a version that nobody committed.
 */
export class History {
  readonly #fenceMs: number
  readonly #versions = new Map<string, number>()
  readonly #changes: Change[] = []
  readonly violations: string[] = []
  /** What happened, for who wants to know how it came to a violation. */
  readonly story: string[] = []

  constructor(fenceMs: number) {
    this.#fenceMs = fenceMs
  }

  note(what: string): void {
    this.story.push(`${Math.round(performance.now())} ms: ${what}`)
  }

  /** What a loader reads from the database now. */
  valueOf(key: string): string {
    return `${key}@${this.#versions.get(key) ?? 0}`
  }

  commit(keys: readonly string[]): readonly Row[] {
    const rows = keys.map((key) => ({ key, version: (this.#versions.get(key) ?? 0) + 1 }))
    for (const { key, version } of rows) this.#versions.set(key, version)
    this.note(`${named(rows)} committed`)
    return rows
  }

  invalidated(rows: readonly Row[], by: number, delivery: 'done' | 'queued'): void {
    this.#changes.push({ rows, by, delivery, at: performance.now() })
    this.note(`${named(rows)} invalidated by node ${by}: ${delivery}`)
  }

  /** From now on what was queued counts as done: the queues are known to be delivered. */
  allDelivered(): void {
    for (const change of this.#changes) change.delivery = 'done'
  }

  /** To be called as a read begins. */
  ask(node: number, key: string, isStrong = false): Asked {
    const fenceMs = isStrong ? 0 : this.#fenceMs
    const now = performance.now()
    const binding = this.#changes.filter(
      ({ by, delivery, at }) => by === node || (delivery === 'done' && now - at >= fenceMs),
    )
    const versions = binding.flatMap(({ rows }) => rows.filter((row) => row.key === key))
    const least = Math.max(0, ...versions.map(({ version }) => version))
    this.note(`node ${node} is asked for ${key}${isStrong ? ' (strong)' : ''}: version ${least} or newer`)
    return { node, key, least }
  }

  /** To be called as it ends, with what it was given. */
  answer({ node, key, least }: Asked, value: unknown): void {
    this.note(`node ${node} served ${String(value)}`)
    const [served, version] = String(value).split('@')
    const isReal = served === key && Number(version) <= (this.#versions.get(key) ?? 0)
    if (!isReal) this.violations.push(`node ${node} was asked for ${key} and served ${String(value)}`)
    else if (Number(version) < least) {
      this.violations.push(`node ${node} served version ${version} of ${key}, at least ${least} was due`)
    }
  }
}

function named(rows: readonly Row[]): string {
  return rows.map(({ key, version }) => `${key}@${version}`).join(' and ')
}
