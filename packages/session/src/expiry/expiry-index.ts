/**
 * Remembers sessions until somebody has heard that their time was over: a record that ends by itself tells nobody.
 * Whoever writes one must pass `testExpiryIndex`. Failures reject.
 */
export interface ExpiryIndex {
  /** `about` is handed back with the key; `ttlMs`, at least 1: how long the record is kept, as far as is known. */
  note(key: string, about: string, ttlMs: number): Promise<void>
  /** Whether it was noted: of all who forget or take it, one alone is told so. */
  forget(key: string): Promise<boolean>
  /** Takes out at most `most` of those whose records are missing and whose time is over, and resolves to their `about`. */
  takeExpired(most: number): Promise<readonly string[]>
}
