import { startPostgres, startRedis } from '@stepladder/core/testing'
import { importFlights } from '../database/import-flights.ts'
import { bookingShards, openDatabase } from '../database/open-database.ts'
import { createBookings } from '../database/schema.ts'
import type { Environment } from './app.ts'
import { PostgresTemplates } from './postgres-templates.ts'
import { RedisToEmpty } from './redis-to-empty.ts'
import { SqliteFiles } from './sqlite-files.ts'

export interface GroundOptions {
  /** Starts Redis and Postgres where no URL names one. */
  readonly real: boolean
  readonly full: boolean
  readonly redisUrl?: string | undefined
  readonly databaseUrl?: string | undefined
  readonly onProgress: (what: string, share: number) => void
}

/** What every rung stands on: its own copy of the imported records, and an empty Redis if there is one. */
export interface Ground extends AsyncDisposable {
  /** Such as `node:sqlite, no Redis`. */
  readonly description: string
  readonly flights: number
  /** A fresh copy for one rung, told to the airline by its environment. */
  freshFor(rung: string): Promise<Environment>
  /** Looks, until stopped, whether the servers still answer. */
  watch(): GroundWatch
}

export interface GroundWatch {
  /** Never resolves; rejects with `DemoError` when a server does not answer any more. */
  readonly failed: Promise<never>
  stop(): void
}

/** Starts or finds the servers, and imports the records once. */
export async function prepareGround(options: GroundOptions): Promise<Ground> {
  await using opened = new AsyncDisposableStack()
  const { real, onProgress } = options
  if (real) onProgress('finding Redis and Postgres', 0)
  const redis = await openRedis(options, opened)
  const databaseUrl = options.databaseUrl ?? (real ? await ownPostgres(opened) : undefined)
  const databases = databaseUrl
    ? opened.use(new PostgresTemplates(databaseUrl, `airline_demo_${process.pid}`))
    : opened.use(await SqliteFiles.open())
  const flights = await fill(await databases.template(), options)

  const closing = opened.move()
  return {
    flights,
    description: `${databases.description}, ${redis ? 'Redis' : 'no Redis'}`,
    async freshFor(rung) {
      await redis?.empty()
      const env = await databases.copyFor(rung)
      return { DATABASE_URL: undefined, REDIS_URL: redis?.url, NODE_ENV: undefined, ...env }
    },
    watch: () =>
      watch(async () => {
        await redis?.check()
        await databases.check()
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

async function openRedis(
  options: GroundOptions,
  opened: AsyncDisposableStack,
): Promise<RedisToEmpty | undefined> {
  if (options.redisUrl !== undefined) return opened.use(await RedisToEmpty.open(options.redisUrl))
  if (!options.real) return undefined
  // What it acknowledged is on its disk within a second, as in production.
  const server = opened.use(await startRedis({ appendonly: true, config: { appendfsync: 'everysec' } }))
  return opened.use(await RedisToEmpty.open(server.url))
}

async function ownPostgres(opened: AsyncDisposableStack): Promise<string> {
  // A test may skip waiting for the disk; a measurement may not.
  return opened.use(await startPostgres({ config: { fsync: 'on' } })).url
}

async function fill(env: Environment, { full, onProgress }: GroundOptions): Promise<number> {
  for (const name of bookingShards) {
    await using shard = openDatabase({ name, env })
    await createBookings(shard)
  }
  await using database = openDatabase({ env })
  return await importFlights(database, {
    full,
    onProgress: (share) => onProgress('importing flights', share),
  })
}

function watch(check: () => Promise<void>): GroundWatch {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setInterval(() => check().catch(reject), 500)
  return { failed: promise, stop: () => clearInterval(timer) }
}
