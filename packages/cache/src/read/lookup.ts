import { begin } from '@stepladder/core'
import type { Wish } from '../call/wish.ts'
import type { StoredValue } from '../codec/stored-value.ts'
import { type Entry, type TagEpoch, unknownEpoch } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import { toEntry } from './fresh-value.ts'
import type { Budget, StoreCalls } from './store-calls.ts'

/** One read's look at what the store holds. */
export class Look {
  readonly flight: Flight<unknown>
  readonly wish: Wish
  readonly calls: StoreCalls
  readonly budget: Budget

  constructor(flight: Flight<unknown>, wish: Wish, calls: StoreCalls, budget: Budget) {
    this.flight = flight
    this.wish = wish
    this.calls = calls
    this.budget = budget
  }
}

const noEpochs: ReadonlyMap<string, string> = new Map()

/**
 * The record as an entry, if it can be read and none of its tags was invalidated. `epochs` came with the record, and
 * is younger than what this process knows. A promise only where something has to be waited for; it rejects when the
 * store has to be asked and fails.
 */
export function admit(
  parts: CacheParts,
  look: Look,
  record: Buffer,
  epochs: ReadonlyMap<string, string> = noEpochs,
): Entry | undefined | Promise<Entry | undefined> {
  try {
    const stored = parts.codec.decode(record, look.wish.key)
    if (!(stored instanceof Promise)) return accept(parts, look, record, stored, epochs)
    return stored.then(
      (stored) => accept(parts, look, record, stored, epochs),
      (cause) => refuse(parts, cause),
    )
  } catch (cause) {
    return refuse(parts, cause)
  }
}

function refuse({ limits: { name, report, clock } }: CacheParts, cause: unknown): undefined {
  begin({ component: 'cache', name, operation: 'decode' }, report, clock)('unreadable', cause)
}

function accept(
  parts: CacheParts,
  look: Look,
  record: Buffer,
  stored: StoredValue,
  epochs: ReadonlyMap<string, string>,
): Entry | undefined | Promise<Entry | undefined> {
  const { flight } = look
  const { key, policy } = look.wish
  const { copies, journal, limits } = parts
  if (
    !journal.isEmpty &&
    journal.covers(
      key,
      stored.epochs.map(([tag]) => tag),
    )
  )
    return undefined
  // Before the tags are compared, so that an invalidation from now on finds this flight.
  for (const [tag] of stored.epochs) if (!flight.tags.includes(tag)) flight.tags = [...flight.tags, tag]
  // Where memory does not count, what it knows of tags does not either.
  const isKnowing = copies.areTrusted && !policy.isStrong
  const tags: TagEpoch[] = []
  for (const [tag, epoch] of stored.epochs) {
    const known = isKnowing ? copies.epochs.known(tag) : undefined
    const now = epochs.get(tag) ?? known?.epoch
    if (now === undefined) return askAndAccept(parts, look, record, stored, epochs)
    if (now !== epoch) return undefined
    tags.push(known?.epoch === epoch ? known : copies.tagOf(flight, tag, epoch))
  }
  return toEntry(stored, tags, record.length, policy, limits.clock)
}

/** The same, when the store has told the epochs of those tags that nobody here knows. */
async function askAndAccept(
  parts: CacheParts,
  look: Look,
  record: Buffer,
  stored: StoredValue,
  epochs: ReadonlyMap<string, string>,
): Promise<Entry | undefined> {
  const { calls, budget } = look
  const unknown = stored.epochs.map(([tag]) => tag).filter((tag) => !epochs.has(tag))
  const asked = await budget.spend(() => Promise.all(unknown.map((tag) => calls.epoch(tag))))
  // A tag without an epoch has none that a record could have.
  const told = unknown.map((tag, index) => [tag, asked[index] ?? unknownEpoch] as const)
  return accept(parts, look, record, stored, new Map([...epochs, ...told]))
}
