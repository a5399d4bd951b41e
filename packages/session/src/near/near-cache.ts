import { begin, type Clock, type Timer } from '@stepladder/core'
import type { Replaced, SessionBackend } from '../backend.ts'
import type { PlaceSettings } from '../options.ts'
import type { ChangeFeed, ChangeListener } from './change-feed.ts'
import type { NearSettings } from './near-options.ts'
import { RecordMemory } from './record-memory.ts'

/** A place may let a record go by itself without a word: what it does not tell in time is asked again. */
const servedForMs = 10_000

/** How long a record that somebody wrote waits for others, to be read again together. */
const rereadAfterMs = 100

export type Follow = (listener: ChangeListener) => ChangeFeed

/**
 * Remembers what a backend answered, as long as it is told of every change. A record is in one of these states:
 *
 *     unknown ──read──▶ current ──own write──▶ outdated      current: answers reads, while the feed can be trusted
 *        ▲                 │                       │         outdated: only shown when the backend is away
 *        └──────told of a change, a gap, an end────┘
 */
export class NearCache implements SessionBackend {
  readonly #backend: SessionBackend
  readonly #settings: NearSettings
  readonly #place: PlaceSettings
  readonly #clock: Clock
  readonly #memory: RecordMemory
  readonly #feed: ChangeFeed
  /** Reads under way. One that is not in here any more was overtaken by a change, so that its answer is not kept. */
  readonly #reads = new Map<string, object>()
  /** What is read again, so that it can be shown when the backend is away. */
  readonly #rereads = new Set<string>()
  #timer: Timer | undefined
  #isClosed = false

  constructor(backend: SessionBackend, follow: Follow, settings: NearSettings, place: PlaceSettings) {
    this.#backend = backend
    this.#settings = settings
    this.#place = place
    this.#clock = place.clock
    this.#memory = new RecordMemory(settings.maxEntries, settings.maxBytes)
    this.#feed = follow({
      onChange: (id) => {
        if (this.forget(id)) this.#readAgain(id)
      },
      onGap: () => {
        this.#forgetAll()
        this.#tell('gap')
      },
    })
  }

  get endsInTime(): boolean | undefined {
    return this.#backend.endsInTime
  }

  /** The record, if memory has it and may be trusted. */
  known(id: string): string | undefined {
    if (!this.#settings.isServing) return undefined
    const known = this.#ifTrusted(id)
    this.#tell(known === undefined ? 'miss' : 'hit')
    return known
  }

  /** What this process saw of the record at last, unless it heard since that it was changed, or ended. */
  lastSeen(id: string): string | undefined {
    return this.#memory.get(id)?.stored
  }

  /** The next read asks the backend. Whether there was anything to forget. */
  forget(id: string): boolean {
    this.#reads.delete(id)
    return this.#memory.delete(id)
  }

  /** Asks the backend, and remembers its answer. */
  async get(id: string): Promise<string | undefined> {
    const read = this.#reads.get(id) ?? {}
    this.#reads.set(id, read)
    const readAt = this.#clock.monotonic()
    try {
      const stored = await this.#backend.get(id)
      if (this.#reads.get(id) !== read || this.#isClosed) return stored
      if (stored === undefined) this.#memory.delete(id)
      else this.#memory.set(id, { stored, readAt, isCurrent: true })
      return stored
    } finally {
      if (this.#reads.get(id) === read) this.#reads.delete(id)
    }
  }

  put(id: string, text: string, ttlMs: number): Promise<void> {
    return this.#write(id, () => this.#backend.put(id, text, ttlMs))
  }

  putNew(id: string, text: string, ttlMs: number): Promise<boolean> {
    return this.#write(id, () => this.#backend.putNew(id, text, ttlMs))
  }

  replace(id: string, expected: string, text: string, ttlMs: number): Promise<Replaced> {
    return this.#write(id, () => this.#backend.replace(id, expected, text, ttlMs))
  }

  touch(id: string, ttlMs: number): Promise<boolean> {
    return this.#write(id, () => this.#backend.touch(id, ttlMs))
  }

  async destroy(id: string): Promise<string | undefined> {
    this.forget(id)
    try {
      return await this.#backend.destroy(id)
    } finally {
      this.forget(id)
    }
  }

  all(): Promise<ReadonlyMap<string, string>> {
    return this.#backend.all()
  }

  length(): Promise<number> {
    return this.#backend.length()
  }

  async clear(): Promise<void> {
    try {
      await this.#backend.clear()
    } finally {
      this.#forgetAll()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#forgetAll()
    await this.#feed.close()
    await this.#backend.close()
  }

  #ifTrusted(id: string): string | undefined {
    const now = this.#clock.monotonic()
    if (now >= this.#feed.heardUntil) return undefined
    const record = this.#memory.get(id)
    return record?.isCurrent && now - record.readAt < servedForMs ? record.stored : undefined
  }

  /** What it wrote is not remembered: others may have written since, and told so before our answer came. */
  async #write<T>(id: string, write: () => Promise<T>): Promise<T> {
    this.#outdate(id)
    try {
      const written = await write()
      this.#readAgain(id)
      return written
    } finally {
      // One that failed may have been written all the same.
      this.#outdate(id)
    }
  }

  #outdate(id: string): void {
    this.#reads.delete(id)
    this.#memory.outdate(id)
  }

  #forgetAll(): void {
    this.#reads.clear()
    this.#memory.clear()
    this.#rereads.clear()
  }

  #readAgain(id: string): void {
    if (!this.#settings.isKeeping || this.#isClosed) return
    this.#rereads.add(id)
    this.#timer ??= this.#clock.after(rereadAfterMs, () => this.#readAllAgain()).unref()
  }

  #readAllAgain(): void {
    this.#timer = undefined
    for (const id of this.#rereads) {
      // Unknown is what it stays then, and whoever asks for it hears why.
      this.get(id).catch(() => {})
    }
    this.#rereads.clear()
  }

  #tell(outcome: 'hit' | 'miss' | 'gap'): void {
    const { name, report } = this.#place
    begin({ component: 'session', name, operation: 'near' }, report, this.#clock)(outcome)
  }
}
