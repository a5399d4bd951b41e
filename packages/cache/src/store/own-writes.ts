import type { Clock } from '@stepladder/core'

interface Note {
  /** How what was written begins: no two records of a cache begin alike. */
  readonly head: string
  readonly until: number
}

/** How much of a record tells it from every other: its times and its version stand in front. */
export const headBytes = 96

/** The echo of a write comes within milliseconds; what comes later is taken for somebody else's. */
const rememberMs = 1_000
const mostNotes = 20_000
const mostEpochs = 50_000

/** What this process wrote in the last second, and which epochs it believes in: what it need not be told. */
export class OwnWrites {
  /** Whether anybody will ask. */
  isAsked = false
  // In order of time, so that the oldest are the first to go.
  readonly #notes = new Map<string, Note>()
  readonly #epochs = new Map<string, string>()
  readonly #clock: Clock
  #sweepAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Before the record is sent, whether or not it will be accepted. Without one: the key is removed. */
  note(key: string, record?: Buffer): void {
    if (!this.isAsked) return
    const now = this.#clock.monotonic()
    this.#notes.delete(key)
    this.#notes.set(key, { head: record === undefined ? '' : headOf(record), until: now + rememberMs })
    if (this.#notes.size > mostNotes || now > this.#sweepAt) this.#forgetOldest(now)
  }

  /** How the record begins that this process wrote lately; undefined if it wrote none. */
  headOf(key: string): string | undefined {
    const note = this.#notes.get(key)
    return note !== undefined && note.until > this.#clock.monotonic() ? note.head : undefined
  }

  /** The store said so: the tag has this epoch. */
  believe(tag: string, epoch: string): void {
    if (!this.isAsked || this.#epochs.get(tag) === epoch) return
    this.#epochs.delete(tag)
    this.#epochs.set(tag, epoch)
    if (this.#epochs.size <= mostEpochs) return
    const oldest = this.#epochs.keys().next()
    if (!oldest.done) this.#epochs.delete(oldest.value)
  }

  /** Undefined where this process never asked, or forgot. */
  epochOf(tag: string): string | undefined {
    return this.#epochs.get(tag)
  }

  #forgetOldest(now: number): void {
    this.#sweepAt = now + rememberMs / 10
    for (const [oldest, { until }] of this.#notes) {
      if (until > now && this.#notes.size <= mostNotes) return
      this.#notes.delete(oldest)
    }
  }
}

function headOf(record: Buffer): string {
  return record.toString('latin1', 0, headBytes)
}
