import { DeadlineExceededError } from '../src/deadline.ts'
import { retry } from '../src/retry.ts'

/** Repeats `task` every 20 ms until it succeeds; rejects when `withinMs` are over, with its last failure as cause. */
export async function eventually<T>(what: string, withinMs: number, task: () => Promise<T> | T): Promise<T> {
  const signal = AbortSignal.timeout(withinMs)
  let last: unknown
  try {
    return await retry(async () => task(), {
      attempts: Number.POSITIVE_INFINITY,
      backoff: () => 20,
      signal,
      onRetry: (failure) => {
        last = failure
      },
    })
  } catch (failure) {
    if (!signal.aborted) throw failure
    throw Object.assign(new DeadlineExceededError(what, withinMs), { cause: last })
  }
}
