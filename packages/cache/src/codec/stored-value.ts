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
