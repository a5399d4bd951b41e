import { EmbeddedEngineError } from './errors.ts'

/** An engine without a server, which serves one machine. */
export interface EmbeddedEngine {
  /** Who runs on it: `cache "users"`. */
  readonly owner: string
  /** What it is, and whom it serves: `memory of this process`. */
  readonly engine: string
  /** What to pass in its place. */
  readonly remedy: string
  /** Whether the app said that it means this. */
  readonly isMeant: boolean
}

/**
 * Lets an embedded engine run. Unless the app means it, that is said in one line at start, and refused with
 * `EmbeddedEngineError` where NODE_ENV is `production`. Nothing else looks at the environment.
 */
export function admitEmbedded({ owner, engine, remedy, isMeant }: EmbeddedEngine): void {
  if (isMeant) return
  const { NODE_ENV, VITEST } = process.env
  if (NODE_ENV === 'production') throw new EmbeddedEngineError(owner, remedy)
  if (VITEST === undefined) {
    console.info(`stepladder: ${owner} runs on its embedded engine (${engine}); ${remedy} to change that`)
  }
}
