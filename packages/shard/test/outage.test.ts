import { type PostgresServer, startPostgres } from '@stepladder/core/testing'
import { createShards, type Shards, ShardUnavailableError } from '@stepladder/shard'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgresShard } from './postgres-shard.ts'
import type { BookingsDatabase } from './sqlite-shard.ts'

let servers: PostgresServer[] = []
let shards: Shards<Kysely<BookingsDatabase>, 'text'>
beforeAll(async () => {
  servers = await Promise.all([startPostgres(), startPostgres()])
  const [eu, us] = await Promise.all(servers.map(({ url }) => postgresShard(url)))
  shards = createShards({ shards: { eu: eu!, us: us! }, key: 'text', ownsDatabases: true })
})
afterAll(async () => {
  await shards?.close()
  await Promise.all(servers.map((server) => server.stop()))
})

const readAll = (db: Kysely<BookingsDatabase>) => db.selectFrom('bookings').selectAll().execute()
const customerOn = (name: string) =>
  ['ada', 'grace', 'linus', 'Zoë'].find((key) => shards.shardOf(key) === name)!

test('a Postgres that was killed fails all() by name, spares the keys of the other, and comes back by itself', async () => {
  const [, us] = servers
  expect(await shards.all(readAll)).toEqual([[], []])

  await us!.kill()

  await expect(shards.all(readAll)).rejects.toBeInstanceOf(ShardUnavailableError)
  await expect(shards.all(readAll)).rejects.toMatchObject({ shards: ['us'] })
  expect(await shards.all(readAll, { partial: true })).toMatchObject({
    values: [[]],
    failures: [{ shard: 'us' }],
  })
  expect(await readAll(shards.for(customerOn('eu')))).toEqual([])
  await expect(readAll(shards.for(customerOn('us')))).rejects.toThrow()

  await us!.restart()
  expect(await shards.all(readAll)).toEqual([[], []])
})

test('a Postgres that hangs costs all() its timeout, and comes back by itself', async () => {
  const [, us] = servers
  await us!.freeze()
  const startedAt = performance.now()

  const failure = await shards.all(readAll, { timeout: 300 }).catch((error: unknown) => error)
  const tookMs = performance.now() - startedAt
  expect(failure).toMatchObject({ shards: ['us'], cause: { code: 'DEADLINE_EXCEEDED' } })
  expect(tookMs).toBeGreaterThanOrEqual(299)
  expect(tookMs).toBeLessThan(2_000)

  // Control: asked directly, the same query is still waiting after twice that time.
  const direct = readAll(shards.for(customerOn('us')))
  const first = await Promise.race([
    direct,
    new Promise((resolve) => setTimeout(resolve, 600, 'still waiting')),
  ])
  expect(first).toBe('still waiting')

  await us!.thaw()
  expect(await direct).toEqual([])
  expect(await shards.all(readAll)).toEqual([[], []])
})
