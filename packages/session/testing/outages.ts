import { retry } from '@stepladder/core'
import type { BreakableBackendPlace } from './session-backend-tools.ts'

/** A way in which a place is away. */
export interface Outage {
  readonly state: string
  /** It is over as soon as it has come. */
  readonly isBrief?: boolean
  hit(): unknown
  mend(): unknown
}

/** Those in which nothing is answered until the place is mended. A title stands in where nothing can be broken. */
export function outagesOf({ freeze, thaw, stop, start, cut }: BreakableBackendPlace): readonly Outage[] {
  const outages: Outage[] = []
  if (freeze && thaw) outages.push({ state: 'frozen', hit: freeze, mend: thaw })
  if (stop && start) outages.push({ state: 'gone', hit: stop, mend: start })
  return outages.length > 0 || cut ? outages : [{ state: 'away', hit: () => {}, mend: () => {} }]
}

/** Those, and one in which only the connections end: new ones are made at once. */
export function breaksOf(place: BreakableBackendPlace): readonly Outage[] {
  const { cut } = place
  const outages = outagesOf(place)
  return cut ? [...outages, { state: 'cut off', isBrief: true, hit: cut, mend: () => {} }] : outages
}

/** Resolves to what `work` made of it, when the place is back. */
export async function whileAway<T>({ hit, mend }: Outage, work: () => Promise<T>): Promise<T> {
  await hit()
  try {
    return await work()
  } finally {
    await mend()
  }
}

/** Tries until it works. Rejects with the last failure when `withinMs` are over. */
export async function eventually<T>(withinMs: number, task: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + withinMs
  const inTime = () => performance.now() < giveUpAt
  return retry(task, { attempts: Number.POSITIVE_INFINITY, backoff: () => 20, retryIf: inTime })
}
