import { DeadlineExceededError } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { createShards, type ShardsOptions, ShardUnavailableError } from '@stepladder/shard'
import { describe, expect, test } from 'vitest'
import { type IdleDatabase, idleDatabases } from './idle-databases.ts'
import { sqliteShard } from './sqlite-shard.ts'

type Options = Partial<ShardsOptions<IdleDatabase, 'text'>>

function setUp(options: Options = {}) {
  const clock = new FakeClock()
  const reports = new RecordedReports()
  const shards = createShards({
    name: 'bookings',
    shards: idleDatabases('ap', 'eu', 'us'),
    key: 'text',
    clock,
    report: reports.report,
    ...options,
  })
  return { clock, reports, shards }
}

const never = () => new Promise<never>(() => {})
const failing = (failing: string) => async (_: unknown, shard: string) => {
  if (shard === failing) throw new Error('connection refused')
  return shard
}

describe('all()', () => {
  test('gathers the rows of every shard, in the order of their names', async () => {
    const shards = createShards({ shards: { us: sqliteShard(), eu: sqliteShard() }, key: 'text' })
    for (const [id, customer] of ['ada', 'grace', 'linus', 'margaret', 'Zoë'].entries()) {
      await shards.for(customer).insertInto('bookings').values({ id, customer }).execute()
    }

    const rows = (await shards.all((db) => db.selectFrom('bookings').selectAll().execute())).flat()
    expect(rows.map(({ customer }) => customer).toSorted()).toEqual([
      'Zoë',
      'ada',
      'grace',
      'linus',
      'margaret',
    ])
    const customersOf = await shards.all(async (db, shard) => {
      const rows = await db.selectFrom('bookings').select('customer').execute()
      return rows.every(({ customer }) => shards.shardOf(customer) === shard)
    })
    expect(customersOf).toEqual([true, true])
    expect(await shards.all(async (_, shard) => shard)).toEqual(['eu', 'us'])
  })

  test('asks no more shards at the same time than it may', async () => {
    const shards = idleDatabases(...'abcdefgh')
    let asked = 0
    let most = 0
    const task = async () => {
      most = Math.max(most, ++asked)
      await new Promise(setImmediate)
      asked--
    }

    await setUp({ shards, concurrency: 3 }).shards.all(task)
    expect(most).toBe(3)
    await setUp({ shards }).shards.all(task)
    expect(most).toBe(8)
  })

  test('reports each call once', async () => {
    const { shards, reports } = setUp()
    await shards.all(async () => 1)
    await shards.all(failing('us')).catch(() => {})
    await shards.all(failing('us'), { partial: true })
    await shards.all(async () => Promise.reject(new Error('down')), { partial: true })

    expect(reports.outcomes('all')).toEqual(['complete', 'failed', 'partial', 'failed'])
    expect(reports.all[1]).toMatchObject({ component: 'shard', name: 'bookings', operation: 'all' })
    expect(reports.all[1]?.cause).toBeInstanceOf(ShardUnavailableError)
  })

  test('refuses an option that it does not know', async () => {
    // What JavaScript callers may hand over, the types notwithstanding.
    const slip = { partal: true } as object
    await expect(setUp().shards.all(async () => 1, slip)).rejects.toThrow('did you mean "partial"?')
  })
})

describe('a shard that is down', () => {
  test('fails all() with an error that names it and keeps the cause', async () => {
    const failure = await setUp()
      .shards.all(failing('us'))
      .catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(ShardUnavailableError)
    expect(failure).toMatchObject({
      code: 'SHARD_UNAVAILABLE',
      message: 'Shards "bookings": no answer from "us" (connection refused)',
      shards: ['us'],
      cause: new Error('connection refused'),
    })
  })

  test('every shard that is down is named', async () => {
    const task = async () => {
      throw new Error('connection refused')
    }
    await expect(setUp().shards.all(task)).rejects.toMatchObject({ shards: ['ap', 'eu', 'us'] })
  })

  test('a task that throws before it returns a promise counts as failed as well', async () => {
    const task = () => {
      throw new Error('no such table')
    }
    await expect(setUp().shards.all(task)).rejects.toMatchObject({ shards: ['ap', 'eu', 'us'] })
  })

  test('with `partial`, the others answer', async () => {
    const { values, failures } = await setUp().shards.all(failing('eu'), { partial: true })
    expect(values).toEqual(['ap', 'us'])
    expect(failures).toEqual([{ shard: 'eu', cause: new Error('connection refused') }])
  })

  test('a closed SQLite database is such a shard, and keys of the others go on', async () => {
    const databases = { eu: sqliteShard(), us: sqliteShard() }
    const shards = createShards({ shards: databases, key: 'text' })
    const count = () => shards.all((db) => db.selectFrom('bookings').selectAll().execute())
    expect(await count()).toEqual([[], []])

    await databases.us.destroy()

    await expect(count()).rejects.toMatchObject({ shards: ['us'] })
    const customer = ['ada', 'grace', 'linus', 'Zoë'].find((name) => shards.shardOf(name) === 'eu')!
    expect(await shards.for(customer).selectFrom('bookings').selectAll().execute()).toEqual([])
  })
})

describe('a shard that hangs', () => {
  const hanging = (_: unknown, shard: string) => (shard === 'us' ? never() : Promise.resolve(shard))

  test('costs no more than the timeout', async () => {
    const { shards, clock } = setUp({ timeout: '2s' })
    const outcome = shards.all(hanging).catch((error: unknown) => error)

    await clock.advance(1_999)
    expect(await isPending(outcome)).toBe(true)
    await clock.advance(1)

    expect(await outcome).toMatchObject({
      shards: ['us'],
      cause: new DeadlineExceededError('Asking "us"', 2_000),
    })
  })

  test('control: asked without all(), it hangs for ever', async () => {
    const { shards, clock } = setUp({ timeout: '2s' })
    const outcome = Promise.all(shards.names.map((shard) => hanging(undefined, shard)))
    await clock.advance(3_600_000)
    expect(await isPending(outcome)).toBe(true)
  })

  test('a call may bring its own timeout', async () => {
    const { shards, clock } = setUp()
    const outcome = shards.all(hanging, { timeout: 100, partial: true })
    await clock.advance(100)
    expect(await outcome).toMatchObject({ values: ['ap', 'eu'], failures: [{ shard: 'us' }] })
  })

  test('the timeout is for all shards together: one whose turn comes too late is not asked', async () => {
    const { shards, clock } = setUp({ concurrency: 1, timeout: '1s' })
    const asked: string[] = []
    const outcome = shards
      .all((_, shard) => {
        asked.push(shard)
        return never()
      })
      .catch((error: unknown) => error)

    await clock.advance(1_000)

    expect(await outcome).toMatchObject({ shards: ['ap', 'eu', 'us'] })
    expect(asked).toEqual(['ap'])
  })

  test('its task hears an abort, and what it does afterwards disturbs nobody', async () => {
    const { shards, clock } = setUp({ timeout: '1s' })
    let heard: unknown
    const outcome = shards
      .all((_, shard, signal) => {
        if (shard !== 'us') return Promise.resolve(shard)
        return new Promise<string>((_, reject) => {
          signal.addEventListener('abort', () => {
            heard = signal.reason
            reject(new Error('too late to matter'))
          })
        })
      })
      .catch((error: unknown) => error)

    await clock.advance(1_000)
    expect(await outcome).toBeInstanceOf(ShardUnavailableError)
    expect(heard).toBeInstanceOf(DeadlineExceededError)
  })
})

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  await new Promise(setImmediate)
  const undecided = Symbol('pending')
  return (await Promise.race([promise, Promise.resolve(undecided)])) === undecided
}
