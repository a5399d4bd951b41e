import { startPostgres, startRedis } from '@stepladder/core/testing'
import { usePublishedForm } from '../peers/published-form.ts'

/** A Redis and a Postgres of the bench's own, and our packages as users get them. */
export async function openPlaces() {
  await usePublishedForm('session')
  const opened = new AsyncDisposableStack()
  const redis = opened.use(await startRedis())
  const postgres = opened.use(await startPostgres())
  return {
    redis,
    places: { redis: redis.url, postgres: postgres.url },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
