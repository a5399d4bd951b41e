import { begin } from '@stepladder/core'
import { decodeRecord, type StoredValue, type TagSnapshot } from '../codec/record.ts'
import type { Entry, TagEpoch } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import type { CacheStore } from '../store/store.ts'
import { toEntry } from './fresh-value.ts'
import type { StoreVisit } from './store-visit.ts'

/** What one read finds in the store under its key. */
export class Lookup {
  readonly store: CacheStore
  readonly visit: StoreVisit
  readonly #parts: CacheParts
  readonly #flight: Flight<unknown>
  readonly #key: string

  constructor(
    parts: CacheParts,
    store: CacheStore,
    { flight, key, visit }: { flight: Flight<unknown>; key: string; visit: StoreVisit },
  ) {
    this.store = store
    this.visit = visit
    this.#parts = parts
    this.#flight = flight
    this.#key = key
  }

  /** The entry, fresh or not; undefined if there is none that may be served. Rejects when the store does. */
  async find(): Promise<Entry | undefined> {
    const record = await this.visit.spend(() => this.store.get(this.#key))
    return record === null ? undefined : this.admit(record)
  }

  /** The record as an entry, if it can be read and none of its tags was invalidated. */
  async admit(record: string): Promise<Entry | undefined> {
    const { journal, limits } = this.#parts
    const stored = this.#decode(record)
    if (!stored) return undefined
    const named = stored.epochs.map(([tag]) => tag)
    if (journal.covers(this.#key, named)) return undefined
    // Before the tags are compared, so that an invalidation from now on finds this flight.
    this.#flight.tags = [...new Set([...this.#flight.tags, ...named])]
    const tags = await this.#matchTags(stored.epochs)
    return tags && toEntry(stored, tags, record.length, limits.clock)
  }

  #decode(record: string): StoredValue | undefined {
    try {
      return decodeRecord(record)
    } catch (cause) {
      const { name, report, clock } = this.#parts.limits
      begin({ component: 'cache', name, operation: 'decode' }, report, clock)('unreadable', cause)
      return undefined
    }
  }

  /** The tags of a record, if all of them still have the epochs that it was stored with. */
  async #matchTags(epochs: readonly TagSnapshot[]): Promise<readonly TagEpoch[] | undefined> {
    const { copies } = this.#parts
    const { areTrusted } = copies
    const known = new Map(epochs.map(([tag]) => [tag, areTrusted ? copies.epochs.known(tag) : undefined]))
    const unknown = [...known.keys()].filter((tag) => known.get(tag) === undefined)
    const asked = unknown.length === 0 ? [] : await this.visit.spend(() => this.store.epochs(unknown))
    const matched: TagEpoch[] = []
    for (const [tag, epoch] of epochs) {
      const here = known.get(tag)
      const now = here ? here.epoch : asked[unknown.indexOf(tag)]
      if (now !== epoch) return undefined
      matched.push(here ?? copies.tagOf(this.#flight, tag, epoch))
    }
    return matched
  }
}
