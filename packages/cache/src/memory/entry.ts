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

/** What makes an entry. Times are of the monotonic clock, in milliseconds. */
export interface EntryFields {
  readonly value: unknown
  readonly tags: readonly TagEpoch[]
  /** Of its record, in bytes. */
  readonly size: number
  /** Names the very write that it is a copy of. */
  readonly version: string
  /** What its loader said of it. */
  readonly etag: string | undefined
  /** While it stands in for a failing loader: when to try that again. */
  readonly retryAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  /** When to load it anew although it is fresh; infinite for those that are not. */
  readonly refreshAt: number
}

/** A value in the memory of this process. Of a class for the reason that `ReadValue` gives. */
export class Entry implements EntryFields {
  readonly value: unknown
  readonly tags: readonly TagEpoch[]
  readonly size: number
  readonly version: string
  readonly etag: string | undefined
  readonly retryAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  refreshAt: number
  /** See `promiseOf`. */
  promise: Promise<unknown> | undefined

  constructor(fields: EntryFields) {
    this.value = fields.value
    this.tags = fields.tags
    this.size = fields.size
    this.version = fields.version
    this.etag = fields.etag
    this.retryAt = fields.retryAt
    this.freshUntil = fields.freshUntil
    this.staleUntil = fields.staleUntil
    this.refreshAt = fields.refreshAt
    this.promise = undefined
  }
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
