import { inspect } from 'node:util'
import { sleep } from '@stepladder/core'

/** A call that was begun, and how it ended as soon as it has. */
export interface WatchedCall {
  readonly what: string
  /** Never rejects. */
  readonly settled: Promise<void>
  /** Undefined while it is under way. */
  readonly end: { readonly ms: number; readonly answer: string | undefined } | undefined
}

export type Calls = Readonly<Record<string, () => Promise<unknown>>>

/** Makes them all in one turn. An answer is told in words; a failure has none. */
export function makeCalls(calls: Calls): readonly WatchedCall[] {
  return Object.entries(calls).map(([what, call]) => {
    const startedAt = performance.now()
    let end: WatchedCall['end']
    const note = (answer: string | undefined) => {
      end = { ms: performance.now() - startedAt, answer }
    }
    const settled = call().then(
      (answer) => note(`${what} answered ${inspect(answer)}`),
      () => note(undefined),
    )
    return {
      what,
      settled,
      get end() {
        return end
      },
    }
  })
}

/** Whether they all ended within `ms`. */
export async function allEnded(calls: readonly WatchedCall[], ms: number): Promise<boolean> {
  const over = new AbortController()
  const patience = sleep(ms, over).catch(() => {})
  await Promise.race([Promise.all(calls.map(({ settled }) => settled)), patience])
  over.abort()
  return calls.every(({ end }) => end !== undefined)
}

/** Of those that ended, what they answered. */
export function answersOf(calls: readonly WatchedCall[]): readonly string[] {
  return calls.flatMap(({ end }) => end?.answer ?? [])
}

/** Rejects when one does not end within `ms` though the place is back. */
export async function endInTheEnd(calls: readonly WatchedCall[], ms: number): Promise<void> {
  if (await allEnded(calls, ms)) return
  const names = calls.filter(({ end }) => end === undefined).map(({ what }) => what)
  throw new Error(`${ms} ms after the place was mended there is no end of: ${names.join(', ')}`)
}
