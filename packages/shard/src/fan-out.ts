import { type Clock, DeadlineExceededError, withDeadline } from '@stepladder/core'
import type { ShardFailure } from './errors.ts'

export interface FanOutLimits {
  /** How many shards are asked at the same time. */
  readonly concurrency: number
  /** For all shards together, from the start, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
}

/** What the shards answered, and those that did not; both in the order in which they were named. */
export interface FanOutResult<T> {
  readonly values: T[]
  readonly failures: ShardFailure[]
}

type Answer<T> = { readonly value: T } | ShardFailure

/**
 * Asks every shard, a few at a time, and settles when each has answered, failed, or run out of time; never
 * rejects. A shard whose turn comes after the deadline is not asked: it counts as failed.
 */
export async function fanOut<T>(
  shards: readonly string[],
  { concurrency, timeoutMs, clock }: FanOutLimits,
  ask: (shard: string, signal: AbortSignal) => Promise<T>,
): Promise<FanOutResult<T>> {
  const deadline = clock.monotonic() + timeoutMs
  const answers: Answer<T>[] = []
  let next = 0

  const askOneAfterAnother = async () => {
    for (let turn = next++; turn < shards.length; turn = next++) {
      const shard = shards[turn]!
      answers[turn] = await answerOf(shard, async () => {
        const leftMs = Math.ceil(deadline - clock.monotonic())
        if (leftMs <= 0) throw new DeadlineExceededError(`Waiting for a turn to ask "${shard}"`, timeoutMs)
        return withDeadline(`Asking "${shard}"`, leftMs, async (signal) => ask(shard, signal), clock)
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, shards.length) }, askOneAfterAnother))

  return {
    values: answers.flatMap((answer) => ('value' in answer ? [answer.value] : [])),
    failures: answers.flatMap((answer) => ('value' in answer ? [] : [answer])),
  }
}

async function answerOf<T>(shard: string, ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await ask() }
  } catch (cause) {
    return { shard, cause }
  }
}
