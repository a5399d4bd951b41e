import { DatabaseSync } from 'node:sqlite'
import { sleep } from '@stepladder/core'
import {
  keyPrefix,
  RecordedReports,
  sharedRedis,
  startPostgres,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from '@stepladder/core/testing'
import { createWriteBehind, kyselySink, QueueClosedError, QueueUnavailableError } from '@stepladder/queue'
import { RecordingSink } from '@stepladder/queue/testing'
import { Queue } from 'bullmq'
import type { Kysely } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { type Event, openPostgres, type Tables } from './events-database.ts'
import { makeDatabase, tempFolder } from './set-up.ts'

test('with Redis frozen, every write ends within a second with a typed error, and goes on after the thaw', async () => {
  const { redis, queue, recording } = await setUp()
  await queue.write(row(0))
  await redis.freeze()
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      await sleep(index * 50)
      return endOf(queue.write(row(index)))
    }),
  )
  await redis.thaw()

  expect(Math.max(...outcomes.map(({ ms }) => ms))).toBeLessThan(1_000)
  for (const { failure } of outcomes) expect(failure).toBeInstanceOf(QueueUnavailableError)
  await expect.poll(() => isAccepted(queue.write(row(100)))).toBe(true)
  await queue.flush(AbortSignal.timeout(10_000))
  expect(recording.rows).toContainEqual(row(100))
})

test('with Redis gone, writes are refused within a second, and taken again when it is back', async () => {
  const { redis, queue, recording } = await setUp()
  await queue.write(row(0))
  await redis.kill()
  const first = await endOf(queue.write(row(1)))
  expect(first.failure).toMatchObject({ code: 'QUEUE_UNAVAILABLE', status: 503, retryAfterMs: 1_000 })
  // By now the broken connection has been noticed: nothing is sent any more.
  const second = await endOf(queue.write(row(1)))
  expect(second.failure).toMatchObject({ code: 'QUEUE_UNAVAILABLE', accepted: 'no' })
  expect(Math.max(first.ms, second.ms)).toBeLessThan(1_000)

  await redis.restart()
  await expect.poll(() => isAccepted(queue.write(row(2))), { timeout: 5_000 }).toBe(true)
  await queue.flush(AbortSignal.timeout(15_000))
  expect(recording.rows.map(({ value }) => value)).toEqual([0, 2])
})

test('a queue that starts while its Redis is frozen refuses writes soon, and works after the thaw', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  await redis.freeze()
  const recording = new RecordingSink<Event>()
  const queue = createWriteBehind<Event>({
    name: keyPrefix('events'),
    redis: redis.url,
    sink: recording.sink,
  })
  onTestFinished(() => queue.close())
  const first = await endOf(queue.write(row(1)))
  expect(first.failure).toBeInstanceOf(QueueUnavailableError)
  expect(first.ms).toBeLessThan(3_000)
  const second = await endOf(queue.write(row(1)))
  expect(second.ms).toBeLessThan(1_000)

  await redis.thaw()
  await expect.poll(() => isAccepted(queue.write(row(2))), { timeout: 5_000 }).toBe(true)
  await queue.flush(AbortSignal.timeout(10_000))
  expect(recording.rows).toContainEqual(row(2))
})

test('a queue that starts before its Redis works once that is there', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  await redis.kill()
  const recording = new RecordingSink<Event>()
  const queue = createWriteBehind<Event>({
    name: keyPrefix('events'),
    redis: redis.url,
    sink: recording.sink,
  })
  onTestFinished(() => queue.close())
  await expect(queue.write(row(1))).rejects.toThrow(QueueUnavailableError)

  await redis.restart()
  await expect.poll(() => isAccepted(queue.write(row(2))), { timeout: 5_000 }).toBe(true)
  await queue.flush(AbortSignal.timeout(10_000))
  expect(recording.rows).toEqual([row(2)])
})

test('closing while Redis is away ends in time', async () => {
  const { redis, queue } = await setUp({ drainWithin: 200 })
  await queue.write(row(0))
  await redis.freeze()
  const startedAt = performance.now()
  await queue.close()
  expect(performance.now() - startedAt).toBeLessThan(3_000)
  await expect(queue.write(row(1))).rejects.toThrow(QueueClosedError)
})

test('answers lost with their connection: every accepted row is there once, and no row twice', async () => {
  const proxy = await shakyRedis()
  const { database } = await makeDatabase('sqlite')
  const sink = kyselySink<Event>({ database, table: 'events' })
  const queue = createWriteBehind<Event>({ name: keyPrefix('events'), redis: proxy.url('redis'), sink })
  onTestFinished(() => queue.close())
  await queue.write(row(0))

  const accepted: string[] = ['row-0']
  for (let number = 1; number <= 10; number++) {
    const isTaken = await losingTheAnswer(proxy, () => queue.write(row(number)))
    if (isTaken) accepted.push(`row-${number}`)
  }
  await queue.flush(AbortSignal.timeout(20_000))

  const ids = (await database.selectFrom('events').select('id').execute()).map(({ id }) => id)
  expect(accepted.length).toBeGreaterThan(5)
  expect(ids.length).toBe(new Set(ids).size)
  expect(accepted.filter((id) => !ids.includes(id))).toEqual([])
}, 60_000)

test('control: BullMQ as it comes queues rows twice when answers are lost', async () => {
  const proxy = await shakyRedis()
  const connection = { host: '127.0.0.1', port: proxy.port, retryStrategy: () => 20 }
  const queue = new Queue(keyPrefix('control'), { connection })
  queue.on('error', () => {})
  onTestFinished(async () => {
    await queue.obliterate({ force: true })
    await queue.close()
  })
  await queue.waitUntilReady()
  for (let number = 1; number <= 10; number++) {
    await losingTheAnswer(proxy, () => queue.add('row', row(number)))
  }
  expect(await queue.getWaitingCount()).toBeGreaterThan(10)
}, 60_000)

test('while the database is away nothing is lost and nothing overtakes, and the age of the oldest row grows', async () => {
  const { queue, recording, reports } = await setUp()
  recording.isDown = true
  for (let number = 0; number < 5; number++) await queue.write(row(number))
  await expect.poll(async () => (await queue.stats()).oldestMs).toBeGreaterThan(300)
  expect((await queue.stats()).pendingRows).toBe(5)

  recording.isDown = false
  await queue.flush(AbortSignal.timeout(10_000))
  expect(recording.rows.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4])
  expect(reports.outcomes('apply')).toContain('retried')
  expect(await queue.stats()).toEqual({ pendingRows: 0, oldestMs: 0 })
})

test('a SQLite database that another process has locked is waited for', async () => {
  const { database, place } = await makeDatabase('sqlite')
  const other = new DatabaseSync(place)
  other.exec('begin immediate')
  const { queue, reports } = await openOnJournal(database)
  await queue.write([row(1), row(2)])
  await expect.poll(() => reports.outcomes('apply')).toContain('retried')
  other.exec('commit')
  other.close()
  await queue.flush(AbortSignal.timeout(10_000))
  expect(await database.selectFrom('events').selectAll().execute()).toHaveLength(2)
  expect(await database.selectFrom('stepladder_ledger_dead').selectAll().execute()).toEqual([])
})

test('Postgres killed and restarted under load: every row is there once', async () => {
  const postgres = await startPostgres()
  onTestFinished(() => postgres.stop())
  const database = openPostgres(postgres.url)
  onTestFinished(() => database.destroy())
  await database.schema.createTable('events').addColumn('id', 'text').addColumn('value', 'integer').execute()
  const { queue } = await openOnJournal(database)

  const writing = (async () => {
    for (let number = 0; number < 300; number++) {
      await queue.write(row(number))
      await sleep(3)
    }
  })()
  await sleep(300)
  await postgres.kill()
  await sleep(200)
  await postgres.restart()
  await writing
  await queue.flush(AbortSignal.timeout(15_000))

  const ids = (await database.selectFrom('events').select('id').execute()).map(({ id }) => id)
  expect(ids.length).toBe(300)
  expect(new Set(ids).size).toBe(300)
}, 60_000)

async function openOnJournal(database: Kysely<Tables>) {
  const reports = new RecordedReports()
  const sink = kyselySink<Event>({ database, table: 'events' })
  const directory = await tempFolder()
  const queue = createWriteBehind<Event>({ name: 'events', directory, sink, report: reports.report })
  onTestFinished(() => queue.close())
  return { queue, reports }
}

async function shakyRedis() {
  const { port } = await sharedRedis()
  const proxy = await startTcpProxy({ port })
  onTestFinished(() => proxy.close())
  return proxy
}

/** Redis gets the command and carries it out; its answer is under way when the connection breaks. */
async function losingTheAnswer(proxy: TcpProxy, act: () => Promise<unknown>): Promise<boolean> {
  proxy.delay(40)
  const acting = isAccepted(act())
  await sleep(60)
  proxy.cut()
  proxy.delay(0)
  return acting
}

async function setUp({ drainWithin = 5_000 } = {}) {
  const redis = await startRedis({ appendonly: true })
  onTestFinished(() => redis.stop())
  const recording = new RecordingSink<Event>()
  const reports = new RecordedReports()
  const { report } = reports
  const name = keyPrefix('events')
  const queue = createWriteBehind<Event>({
    name,
    redis: redis.url,
    sink: recording.sink,
    report,
    drainWithin,
  })
  onTestFinished(() => queue.close())
  return { redis, queue, recording, reports }
}

async function endOf(write: Promise<void>): Promise<{ ms: number; failure: unknown }> {
  const startedAt = performance.now()
  const failure = await write.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  return { ms: performance.now() - startedAt, failure }
}

function isAccepted(write: Promise<unknown>): Promise<boolean> {
  return write.then(
    () => true,
    () => false,
  )
}

function row(number: number): Event {
  return { id: `row-${number}`, value: number }
}
