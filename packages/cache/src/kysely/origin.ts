/** What a compiled statement does not say about itself: where it was made. */
export interface Origin {
  /** The name that `invalidateOnWrite` was given for the database. */
  readonly database: string
  /** The plugins that the answer goes through, as texts. */
  readonly plugins: readonly string[]
  /** Made in a transaction, or for one connection: its answer is nobody else's. */
  readonly isPrivate: boolean
}

const origins = new WeakMap<object, Origin>()

/** Remembers where a compiled statement was made. */
export function markOrigin(compiled: object, origin: Origin): void {
  origins.set(compiled, origin)
}

/** Undefined for a statement of an instance that nobody watches. */
export function originOf(compiled: object): Origin | undefined {
  return origins.get(compiled)
}
