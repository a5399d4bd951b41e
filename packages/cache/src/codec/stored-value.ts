/** A value as it stands in the store. Times are whole milliseconds since the epoch. */
export interface StoredValue {
  readonly value: unknown
  readonly createdAt: number
  readonly freshUntil: number
  /** Until when it may stand in while its loader fails. */
  readonly staleUntil: number
  /** What loading it took, in milliseconds; kept to the microsecond, and up to an hour. */
  readonly loadMs: number
  /** Names this very write: compared to see whether a copy is still the one that is stored. */
  readonly version: string
  /** What the loader's source calls this state of the value. */
  readonly etag?: string | undefined
  /** Each tag with the epoch it had before the value was loaded. */
  readonly epochs: readonly TagSnapshot[]
}

export type TagSnapshot = readonly [tag: string, epoch: string]

/**
 * One that was read. Of a class, as all that stands between a read and its answer: literals that outlive a few
 * collections make V8 put all others from the same place into the old generation, where each keeps what it refers
 * to until the next big collection. A third of a read from the store went into that.
 */
export class ReadValue implements StoredValue {
  readonly value: unknown
  readonly createdAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly loadMs: number
  readonly version: string
  readonly etag: string | undefined
  readonly epochs: readonly TagSnapshot[]

  constructor(read: StoredValue) {
    this.value = read.value
    this.createdAt = read.createdAt
    this.freshUntil = read.freshUntil
    this.staleUntil = read.staleUntil
    this.loadMs = read.loadMs
    this.version = read.version
    this.etag = read.etag
    this.epochs = read.epochs
  }
}
