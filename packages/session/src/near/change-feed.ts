import type { Clock, Closeable } from '@stepladder/core'

/** Hears which records change. */
export interface ChangeListener {
  /**
   * The record was written, touched or removed: by another process, another program, or this very process. One whose time
   * is over may go without a word.
   */
  onChange(id: string): void
  /** Changes of any record may have gone unheard before this moment. */
  onGap(): void
}

export interface FollowOptions {
  /** In milliseconds: how old the last proof that changes are heard may be. */
  readonly fenceMs: number
  readonly clock: Clock
  /** Hears that the place refuses to tell of changes. */
  onRefused(cause: unknown): void
}

/** Tells of changes until it is closed. */
export interface ChangeFeed extends Closeable {
  /**
   * Until when, by the monotonic clock, memory may be trusted: each change that was acknowledged up to the fence before
   * that moment has been told, by itself or as part of a gap. In the past while nobody knows, and once it is closed.
   */
  readonly heardUntil: number
}
