import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCache } from '@stepladder/cache'
import {
  cachedFirst,
  createOutboxTable,
  invalidateAfterCommit,
  invalidateOnWrite,
  relayOutbox,
  tagsOfTables,
} from '@stepladder/cache/kysely'
import {
  keyPrefix,
  type NodeProcess,
  type SharedRedis,
  seededRandom,
  seeds,
  sharedPostgres,
  sharedRedis,
  spawnNode,
} from '@stepladder/core/testing'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { fill, postgresDatabase, sqliteDatabase, type Tables } from './kysely-database.ts'

let redis: SharedRedis
let folder: string
let postgresUrl: string
beforeAll(async () => {
  redis = await sharedRedis()
  folder = await mkdtemp(join(tmpdir(), 'stepladder-outbox-'))
  postgresUrl = await (await sharedPostgres()).createDatabase()
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await (await sharedPostgres()).dropDatabase(postgresUrl)
})

type WithOutbox = Kysely<Tables & { stepladder_cache_outbox: Record<string, unknown> }>

/** A database with flights and an outbox, and what a process needs to work with it. */
async function setUp(kind: string): Promise<{ base: WithOutbox; env: Record<string, string>; name: string }> {
  const name = keyPrefix('crash')
  const database = kind === 'Postgres' ? postgresUrl : join(folder, name)
  const base = (kind === 'Postgres' ? postgresDatabase(database, 3) : sqliteDatabase(database)) as WithOutbox
  await fill(base)
  await base.schema.dropTable('stepladder_cache_outbox').ifExists().execute()
  await createOutboxTable(base)
  return { base, name, env: { REDIS_URL: redis.url, CACHE_NAME: name, DATABASE: database } }
}

function start(env: Readonly<Record<string, string>>): NodeProcess {
  const file = fileURLToPath(new URL('./fixtures/outbox-process.ts', import.meta.url))
  return spawnNode(file, { env, execArgv: ['--conditions=@stepladder/source'] })
}

async function killed(process: NodeProcess): Promise<void> {
  expect((await process.exited).signal, process.output).toBe('SIGKILL')
}

const flight = (db: Kysely<Tables>, id: number) =>
  db.selectFrom('flights').select('seats').where('id', '=', id)

/** What a process that starts now is served when a relay has emptied the outbox, and what the database has. */
async function compare(base: WithOutbox, name: string): Promise<[served: unknown[], stored: unknown[]]> {
  const cache = createCache({ name, ttl: '10m', redis: redis.url, readBudget: '5s' })
  // The head start of the process that is no more.
  await base.updateTable('stepladder_cache_outbox').set({ due_at: 0 }).execute()
  const relay = relayOutbox({ db: base, cache, poll: 20 })
  const isEmpty = async () => expect((await relay.backlog()).rows).toBe(0)
  await vi.waitFor(isEmpty, { timeout: 20_000, interval: 10 })
  await relay.close()
  const db = invalidateOnWrite(base, cache)
  const ids = [1, 2, 3]
  const served = await Promise.all(ids.map((id) => cachedFirst(cache, flight(db, id))))
  const stored = await Promise.all(ids.map((id) => flight(base, id).executeTakeFirst()))
  await cache.close()
  return [served, stored]
}

/** Each seed starts a process, which takes its time while the machine does something else. */
const patience = { timeout: 60_000 * seeds(1).length }

describe.each(['SQLite', 'Postgres'])('on %s', (kind) => {
  test('kill -9 between commit and invalidation loses no invalidation', patience, async () => {
    for (const seed of seeds(1)) {
      const { base, env, name } = await setUp(kind)
      const diesAt = String(1 + Math.floor(seededRandom(seed)() * 10))
      await killed(start({ ...env, OUTBOX: 'yes', DIES_AT: diesAt }))
      expect(await base.selectFrom('stepladder_cache_outbox').select('id').execute()).not.toEqual([])
      const [served, stored] = await compare(base, name)
      expect(served, `seed ${seed}`).toEqual(stored)
      await base.destroy()
    }
  })

  test('a relay that is killed while it delivers loses nothing either', patience, async () => {
    const { base, env, name } = await setUp(kind)
    const cache = createCache({ name, ttl: '10m', redis: redis.url, readBudget: '5s' })
    await cachedFirst(cache, flight(invalidateOnWrite(base, cache), 1))
    await base.updateTable('flights').set({ seats: 1 }).where('id', '=', 1).execute()
    await base
      .transaction()
      .execute((trx) => invalidateAfterCommit(trx, { tags: tagsOfTables(['flights']), cache }))
    await cache.close()
    await killed(start({ ...env, DOES: 'relay', DIES_AT: '1' }))
    const [served, stored] = await compare(base, name)
    expect(served).toEqual(stored)
    await base.destroy()
  })
})

test('the control arm: without the outbox the same kill leaves the old value', patience, async () => {
  const { base, env, name } = await setUp('SQLite')
  await killed(start({ ...env, OUTBOX: 'no', DIES_AT: '4' }))
  const [served, stored] = await compare(base, name)
  expect(served).not.toEqual(stored)
  await base.destroy()
})

test('kill -9 at any moment loses no invalidation', patience, async () => {
  for (const seed of seeds(1)) {
    const { base, env, name } = await setUp(seed % 2 === 0 ? 'SQLite' : 'Postgres')
    await using writer = start({ ...env, OUTBOX: 'yes' })
    await writer.waitForOutput(/ready/, 30_000)
    await new Promise((resolve) => setTimeout(resolve, 5 + seededRandom(seed)() * 60))
    writer.kill()
    await writer.exited
    const [served, stored] = await compare(base, name)
    expect(served, `seed ${seed}`).toEqual(stored)
    await base.destroy()
  }
})
