import type { Clock } from '@stepladder/core'

/** How much of a record tells it from every other: its times and its version stand in front. */
export const headBytes = 96

/** The echo of a write comes within milliseconds; what comes much later is taken for somebody else's. */
const rememberMs = 1_000
const mostNotes = 10_000
const mostEpochs = 50_000

/** What this process wrote in the last second or two, and which epochs it believes in: what it need not be told. */
export class OwnWrites {
  /** Whether anybody will ask. */
  isAsked = false
  // How each record begins, by its key. Of two generations the older one goes as a whole, which costs nothing.
  #notes = new Map<string, string>()
  #olderNotes = new Map<string, string>()
  readonly #epochs = new Map<string, string>()
  readonly #clock: Clock
  #turnAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Before the record is sent, whether or not it will be accepted. Without one: the key is removed. */
  note(key: string, record?: Buffer): void {
    if (!this.isAsked) return
    this.#age()
    this.#notes.set(key, record === undefined ? '' : record.toString('latin1', 0, headBytes))
  }

  /** How the record begins that this process wrote lately; undefined if it wrote none. */
  headOf(key: string): string | undefined {
    this.#age()
    return this.#notes.get(key) ?? this.#olderNotes.get(key)
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

  #age(): void {
    const now = this.#clock.monotonic()
    if (now < this.#turnAt && this.#notes.size < mostNotes) return
    // After a pause both are too old.
    this.#olderNotes = now < this.#turnAt + rememberMs ? this.#notes : new Map()
    this.#notes = new Map()
    this.#turnAt = now + rememberMs
  }
}
