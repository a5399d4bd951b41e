/** No store ever gives this epoch to a tag. */
export const unknownEpoch = ''

/**
 * What this process knows of a tag: its epoch, and whether that still holds. Every entry with the tag refers
 * to this one object, so that one invalidation reaches them all and a read compares nothing.
 */
export interface TagEpoch {
  /** `unknownEpoch` for what was loaded without asking the store. */
  readonly epoch: string
  isCurrent: boolean
  /** Until when the store keeps it, as far as this process has asked it to. Of the monotonic clock. */
  lastsUntil: number
}

/** A value in the memory of this process. Times are of the monotonic clock, in milliseconds. */
export interface Entry {
  readonly value: unknown
  readonly freshUntil: number
  readonly staleUntil: number
  /** When to load it anew although it is fresh; infinite for those that are not. */
  refreshAt: number
  /** While it stands in for a failing loader: when to try that again. */
  readonly retryAt: number
  readonly tags: readonly TagEpoch[]
  /** Names the very write that it is a copy of. */
  readonly version: string
  /** What its loader said of it. */
  readonly etag: string | undefined
  /** Of its record, in bytes. */
  readonly size: number
  /** See `promiseOf`. */
  promise: Promise<unknown> | undefined
}

/** Of its value: one for all hits, since making one takes a quarter of the time of an awaited hit. */
export function promiseOf(entry: Entry): Promise<unknown> {
  entry.promise ??= Promise.resolve(entry.value)
  return entry.promise
}

/** True while none of the entry's tags was invalidated. */
export function hasCurrentTags({ tags }: Entry): boolean {
  for (let index = 0; index < tags.length; index++) {
    if (!tags[index]!.isCurrent) return false
  }
  return true
}
