/** What waits in the outbox for a relay. */
export interface Backlog {
  readonly rows: number
  /** How long ago the oldest was written; 0 where there is none. */
  readonly oldestMs: number
}
