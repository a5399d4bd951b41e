/** Milliseconds to wait before the given attempt is repeated; attempts count from 1. */
export type Backoff = (attempt: number) => number

export interface ExponentialBackoffOptions {
  /** Ceiling of the first wait, in milliseconds. Default 50. */
  readonly baseMs?: number
  /** Ceiling of every wait, in milliseconds. Default 5000. */
  readonly maxMs?: number
  /** A number in [0, 1). Default `Math.random`. */
  readonly random?: () => number
}

/**
 * Doubling waits with jitter over the upper half of each: spread enough that clients which failed
 * together do not come back together ("Equal Jitter", Brooker, "Exponential Backoff And Jitter", 2015).
 */
export function exponentialBackoff({
  baseMs = 50,
  maxMs = 5_000,
  random = Math.random,
}: ExponentialBackoffOptions = {}): Backoff {
  return (attempt) => {
    const ceiling = Math.min(maxMs, baseMs * 2 ** (attempt - 1))
    return ceiling / 2 + random() * (ceiling / 2)
  }
}
