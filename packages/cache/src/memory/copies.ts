import type { Clock, Reporter } from '@stepladder/core'
import type { Bus, Invalidation } from '../bus/bus.ts'
import { everything } from '../call/key.ts'
import { Entries } from './entries.ts'
import { type Entry, hasCurrentTags, type TagEpoch, unknownEpoch } from './entry.ts'
import { type Flight, Flights } from './flights.ts'
import { chooseFreeze } from './freeze.ts'
import { Misses } from './misses.ts'
import { TagEpochs } from './tag-epochs.ts'
import { Turn } from './turn.ts'

/** How a read ended, and with what. */
export interface Answer {
  readonly value: unknown
  readonly outcome: 'fetched' | 'loaded' | 'stale' | 'miss'
  /** Why an old value stands in. */
  readonly cause?: unknown
}

/** The fence: while nothing is heard, a read under way is joined no longer than memory would be served. Milliseconds. */
const joinWithinMs = 1_000

export interface CopiesOptions {
  readonly maxEntries: number
  readonly maxBytes: number
  /** See `chooseFreeze`. */
  readonly freeze: boolean | undefined
  readonly report: Reporter
}

/** What this process holds of the cache: values, reads under way, and what it knows of the tags. */
export class Copies {
  readonly turn: Turn
  readonly epochs: TagEpochs
  /** Reads that only look. */
  readonly reads: Flights<Answer>
  /** Reads that load what is missing, and writes. */
  readonly loads: Flights<Answer>
  /** Reads that wait for nobody, and bring what they did not find later. */
  readonly misses: Misses
  readonly #entries: Entries<Entry>
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #freeze: ((value: unknown) => void) | undefined

  constructor(bus: Bus, clock: Clock, { maxEntries, maxBytes, freeze, report }: CopiesOptions) {
    this.epochs = new TagEpochs(4 * maxEntries)
    this.misses = new Misses(clock)
    this.#entries = new Entries(maxEntries, maxBytes)
    this.#bus = bus
    this.#clock = clock
    this.turn = new Turn(clock, report)
    this.reads = new Flights(this.turn)
    this.loads = new Flights(this.turn)
    this.#freeze = chooseFreeze(freeze)
  }

  /** False while the bus may have missed an invalidation: then nothing in here is to be trusted. */
  get areTrusted(): boolean {
    return this.turn.now() < this.#bus.heardUntil
  }

  /** The one under way that a read of now may join: it would have heard of every invalidation up to the fence. */
  joinable(flights: Flights<Answer>, key: string): Flight<Answer> | undefined {
    return this.areTrusted ? flights.find(key) : flights.findYounger(key, joinWithinMs)
  }

  /** The entry, if it may be served now. The whole cost of a hit is in here. */
  fresh(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const now = this.turn.now()
    return now < entry.freshUntil && now < this.#bus.heardUntil && hasCurrentTags(entry) ? entry : undefined
  }

  /** The entry, if it may stand in for a failing loader. */
  graced(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    return entry && this.mayStandIn(entry) && this.areTrusted ? entry : undefined
  }

  mayStandIn(entry: Entry): boolean {
    return this.#clock.monotonic() < entry.staleUntil && hasCurrentTags(entry)
  }

  /** The tag as a flight met it, and until when the store keeps its epoch. One that may have missed something knows nothing that others could rely on. */
  tagOf({ state }: Flight<unknown>, tag: string, epoch: string, lastsUntil = 0): TagEpoch {
    if (state !== 'current') return { epoch, isCurrent: false, lastsUntil }
    return epoch === unknownEpoch ? this.epochs.adopt(tag) : this.epochs.learn(tag, epoch, lastsUntil)
  }

  /** Keeps what a flight brought, unless something was, or may have been, invalidated since it began. */
  keep(key: string, entry: Entry, { state }: Flight<unknown>): void {
    if (state !== 'current' || !hasCurrentTags(entry)) return
    this.#freeze?.(entry.value)
    this.put(key, entry)
  }

  /** Whether there is an entry, even if it may not be served now. */
  holds(key: string): boolean {
    return this.#entries.get(key) !== undefined
  }

  /** Keeps what comes from no flight, whatever was there. Not frozen: code that was built on an LRU changes what it holds. */
  put(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
  }

  drop(invalidation: Invalidation): void {
    this.misses.drop(invalidation)
    this.sweep(invalidation)
  }

  /** `drop`, but not for the readers who wait for nobody: what they bring is not older than this. */
  sweep({ keys, tags }: Invalidation): void {
    for (const key of keys) {
      this.#entries.delete(key)
      this.reads.dropKey(key)
      this.loads.dropKey(key)
    }
    for (const tag of tags) {
      this.epochs.drop(tag)
      this.reads.dropTag(tag)
      this.loads.dropTag(tag)
      if (tag === everything) this.#entries.clear()
    }
  }

  /** What others wrote, or what is gone, without a word: `BusListener.onTouched`. */
  touch({ keys, tags }: Invalidation): void {
    this.misses.drop({ keys, tags })
    for (const key of keys) {
      this.#entries.delete(key)
      this.reads.touchKey(key)
      this.loads.touchKey(key)
    }
    // An epoch that nobody here relies on may be anything.
    const relied = tags.filter((tag) => this.epochs.known(tag) !== undefined)
    if (relied.length > 0) this.sweep({ keys: [], tags: relied })
  }

  /** Whether `touch` would find anything under this key. */
  isRelied(key: string): boolean {
    return this.holds(key) || this.loads.touches(key) || this.reads.touches(key) || this.misses.has(key)
  }

  /** Invalidations may have been missed. */
  gap(): void {
    this.#entries.clear()
    this.epochs.clear()
    this.misses.gap()
    this.reads.gap()
    this.loads.gap()
  }

  /** Resolves when all reads under way have ended. */
  async settled(): Promise<void> {
    await Promise.all([this.reads.settled(), this.loads.settled()])
  }
}
