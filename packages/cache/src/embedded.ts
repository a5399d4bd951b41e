import { EmbeddedEngineError } from '@stepladder/core'

/**
 * Refuses the embedded engine in production unless it was asked for, and says elsewhere that it runs.
 * The only place that looks at the environment.
 */
export function admitEmbedded(cache: string, isAllowed: boolean): void {
  const { NODE_ENV, VITEST } = process.env
  if (NODE_ENV === 'production' && !isAllowed) {
    throw new EmbeddedEngineError(`cache "${cache}"`, 'give it `redis: process.env.REDIS_URL`')
  }
  if (VITEST !== undefined) return
  console.info(
    `stepladder: cache "${cache}" runs on its embedded engine (memory, shared by no other machine)`,
  )
}
