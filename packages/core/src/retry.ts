import { type Backoff, exponentialBackoff } from './backoff.ts'
import { type Clock, sleep } from './clock.ts'

export interface RetryOptions {
  /** How often to try at most, the first try included; `Infinity` tries until the signal. Default 3. */
  readonly attempts?: number
  readonly backoff?: Backoff
  /** Ends the waiting at once; `retry` then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Whether this failure is worth another try. Default: every one is. */
  readonly retryIf?: (failure: unknown) => boolean
  /** Hears each failure that will be tried again. */
  readonly onRetry?: (failure: unknown, attempt: number) => void
  readonly clock?: Clock | undefined
}

/** Runs `task` until it succeeds; rejects with its last failure. The only retry loop in Stepladder. */
export async function retry<T>(
  task: (attempt: number) => Promise<T>,
  { attempts = 3, backoff = exponentialBackoff(), signal, retryIf, onRetry, clock }: RetryOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await task(attempt)
    } catch (failure) {
      if (attempt >= attempts || (retryIf && !retryIf(failure))) throw failure
      onRetry?.(failure, attempt)
    }
    await sleep(backoff(attempt), { clock, signal })
  }
}
