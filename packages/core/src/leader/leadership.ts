import type { Closeable } from '../closeable.ts'

/** What the one who leads needs to know. */
export interface LeaderContext {
  /** Aborted when this process has to stop: it drains, was closed, or lost its lease. */
  readonly signal: AbortSignal
  /**
   * A whole number, greater than that of every leader before. A resource that remembers the greatest it has seen,
   * and refuses what comes with a smaller one, is safe from a former leader that does not know it yet.
   */
  readonly token: number
}

/**
 * Starts what runs once. It may return how to stop it (a function, or something with a `close()`), or a promise
 * of that, or a promise that lasts as long as the work does.
 */
export type LeaderTask = (context: LeaderContext) => unknown

/** The part that this process takes in it. */
export interface Leadership extends Closeable {
  /**
   * Whether this process leads now. With `redis` this looks at the clock, so it tells a process that was stopped
   * for longer than its lease as soon as it runs again, before its signal can.
   */
  readonly isLeader: boolean
  /** Resigns, or stands no longer; resolves when the task has stopped and another process may lead. */
  close(): Promise<void>
}
