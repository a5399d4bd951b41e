import { begin } from '@stepladder/core'
import type { Policy } from '../call/policy.ts'
import type { StoredValue, TagSnapshot } from '../codec/stored-value.ts'
import type { Entry, TagEpoch } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import { toEntry } from './fresh-value.ts'
import type { Budget, StoreCalls } from './store-calls.ts'

/** One read's look at what the store holds. */
export interface Look {
  readonly flight: Flight<unknown>
  readonly key: string
  readonly policy: Policy
  readonly calls: StoreCalls
  readonly budget: Budget
}

const noEpochs: ReadonlyMap<string, string> = new Map()

/**
 * The record as an entry, if it can be read and none of its tags was invalidated. `epochs` came with the record, and
 * is younger than what this process knows. Rejects when the store has to be asked and fails.
 */
export async function admit(
  parts: CacheParts,
  look: Look,
  record: Buffer,
  epochs: ReadonlyMap<string, string> = noEpochs,
): Promise<Entry | undefined> {
  const { flight, key, policy } = look
  const stored = await decode(parts, record, key)
  if (!stored) return undefined
  const named = stored.epochs.map(([tag]) => tag)
  if (parts.journal.covers(key, named)) return undefined
  // Before the tags are compared, so that an invalidation from now on finds this flight.
  if (named.some((tag) => !flight.tags.includes(tag))) flight.tags = [...new Set([...flight.tags, ...named])]
  const tags = await matchTags(parts, look, stored.epochs, epochs)
  return tags && toEntry(stored, tags, record.length, policy, parts.limits.clock)
}

async function decode(
  { codec, limits }: CacheParts,
  record: Buffer,
  key: string,
): Promise<StoredValue | undefined> {
  try {
    const decoded = codec.decode(record, key)
    return decoded instanceof Promise ? await decoded : decoded
  } catch (cause) {
    const { name, report, clock } = limits
    begin({ component: 'cache', name, operation: 'decode' }, report, clock)('unreadable', cause)
    return undefined
  }
}

/** The tags of a record, if all of them still have the epochs that it was stored with. */
async function matchTags(
  { copies }: CacheParts,
  { flight, policy, calls, budget }: Look,
  snapshots: readonly TagSnapshot[],
  epochs: ReadonlyMap<string, string>,
): Promise<readonly TagEpoch[] | undefined> {
  // Where memory does not count, what it knows of tags does not either.
  const isKnowing = copies.areTrusted && !policy.isStrong
  const current = snapshots.map(
    ([tag]) => epochs.get(tag) ?? (isKnowing ? copies.epochs.known(tag)?.epoch : undefined),
  )
  const unknown = snapshots.filter((_, index) => current[index] === undefined)
  if (unknown.length > 0) {
    const asked = await budget.spend(() => Promise.all(unknown.map(([tag]) => calls.epoch(tag))))
    for (const [index, snapshot] of unknown.entries())
      current[snapshots.indexOf(snapshot)] = asked[index] ?? ''
  }
  if (snapshots.some(([, epoch], index) => current[index] !== epoch)) return undefined
  return snapshots.map(([tag, epoch]) => copies.tagOf(flight, tag, epoch))
}
