import { type Backoff, exponentialBackoff } from '../backoff.ts'

/** What is known when a worker has died. */
export interface WorkerDeath {
  /** How long it lived, in milliseconds. */
  readonly livedMs: number
  /** How many workers in its place died young in a row, this one included if it did. */
  readonly youngDeaths: number
  /** Whether any other worker serves, or is on its way to. */
  readonly othersLive: boolean
  /** Whether any worker ever lived long: then this is an app that can run, and its port is kept for it. */
  readonly hasServed: boolean
}

export type RestartDecision =
  | { readonly kind: 'restart'; readonly afterMs: number }
  | { readonly kind: 'give-up'; readonly reason: string }

/** A worker that dies sooner than this died young: its start is what is wrong. Milliseconds. */
export const youngMs = 5_000
/** So many young deaths in a row in one place, no other worker alive and none that ever lived long: the end. */
const maxYoungDeaths = 5

/** Replace now, wait, or give up: only on an app that never ran. A death after a long life is replaced at once. */
export function decideRestart(
  { livedMs, youngDeaths, othersLive, hasServed }: WorkerDeath,
  backoff: Backoff = exponentialBackoff({ baseMs: 100, maxMs: 15_000 }),
): RestartDecision {
  if (livedMs >= youngMs || youngDeaths <= 1) return { kind: 'restart', afterMs: 0 }
  if (youngDeaths >= maxYoungDeaths && !othersLive && !hasServed) {
    return {
      kind: 'give-up',
      reason:
        `${youngDeaths} workers in a row died within ${youngMs / 1_000} s of their start; ` +
        'run the server with plain node: it has to start, to listen, and not to end',
    }
  }
  return { kind: 'restart', afterMs: backoff(youngDeaths - 1) }
}
