import { InvalidOptionError } from '@stepladder/core'
import { type Applied, kyselySink } from '@stepladder/queue'
import { makeBatchId } from '@stepladder/queue/testing'
import { describe, expect, test } from 'vitest'
import { type Event, openPostgres, openSqlite } from './events-database.ts'
import { makeDatabase } from './set-up.ts'

describe.each(['sqlite', 'postgres'] as const)('kyselySink on %s', (engine) => {
  test('a batch that is delivered twice is in the table once', async () => {
    const { database } = await makeDatabase(engine)
    const sink = kyselySink<Event>({ database, table: 'events' })
    const batch = makeBatch(rowsFrom(1, 500))

    expect(await sink(batch)).toMatchObject({ outcome: 'applied' })
    expect(await sink(batch)).toMatchObject({ outcome: 'duplicate' })
    expect(await database.selectFrom('events').selectAll().execute()).toHaveLength(500)
  })

  test('two deliveries at the same moment, by two processes, are in the table once', async () => {
    const { database, place } = await makeDatabase(engine)
    const other = engine === 'sqlite' ? openSqlite(place) : openPostgres(place)
    const batch = makeBatch(rowsFrom(1, 50))

    const deliver = async (to: typeof database) => {
      const sink = kyselySink<Event>({ database: to, table: 'events' })
      for (;;) {
        // SQLite lets one of them in and tells the other to come again.
        const applied = await sink(batch).catch(() => undefined)
        if (applied) return applied
      }
    }
    const outcomes = (await Promise.all([deliver(database), deliver(other)])) as Applied[]
    await other.destroy()
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['applied', 'duplicate'])
    expect(await database.selectFrom('events').selectAll().execute()).toHaveLength(50)
  })

  test('the last write of a key wins, within a batch and over batches', async () => {
    const { database } = await makeDatabase(engine, { hasKey: true })
    const sink = kyselySink<Event>({ database, table: 'events', key: 'id' })
    await sink(makeBatch([row('a', 1), row('b', 1), row('a', 2)]))
    await sink(makeBatch([row('b', 3)]))
    expect(await database.selectFrom('events').selectAll().orderBy('id').execute()).toEqual([
      row('a', 2),
      row('b', 3),
    ])
  })

  test("with onConflict 'ignore' the first write of a key stays", async () => {
    const { database } = await makeDatabase(engine, { hasKey: true })
    const sink = kyselySink<Event>({ database, table: 'events', key: ['id'], onConflict: 'ignore' })
    await sink(makeBatch([row('a', 1), row('a', 2)]))
    await sink(makeBatch([row('a', 3)]))
    expect(await database.selectFrom('events').selectAll().execute()).toEqual([row('a', 1)])
  })

  test('a column left out keeps its default, also beside rows that have it', async () => {
    const { database } = await makeDatabase(engine, { hasKey: true })
    const sink = kyselySink<Partial<Event>>({ database, table: 'events', key: 'id' })
    await sink(makeBatch<Partial<Event>>([row('a', 1), { id: 'b' }, row('c', 3)]))
    const values = await database.selectFrom('events').select('value').orderBy('id').execute()
    expect(values.map(({ value }) => value)).toEqual([1, 7, 3])
  })

  test('one bad row among 500 is set aside with its reason, and the other 499 go in', async () => {
    const { database } = await makeDatabase(engine)
    const sink = kyselySink<object>({ database, table: 'events' })
    const rows: object[] = rowsFrom(0, 500)
    rows[321] = { id: null, value: 1 }
    const batch = makeBatch(rows)

    expect(await sink(batch)).toMatchObject({ outcome: 'quarantined', cause: { rows: 1 } })
    expect(await sink(batch)).toMatchObject({ outcome: 'duplicate' })
    expect(await database.selectFrom('events').selectAll().execute()).toHaveLength(499)
    const dead = await database.selectFrom('stepladder_ledger_dead').selectAll().execute()
    expect(dead).toMatchObject([{ ordinal: 321, target: 'events', row: '{"id":null,"value":1}' }])
    expect(dead[0]!.error).toMatch(/null/i)
  })

  test('a missing table sets nothing aside: the batch waits for somebody to create it', async () => {
    const { database } = await makeDatabase(engine)
    const sink = kyselySink<Event>({ database, table: 'events_of_tomorrow' })
    const batch = makeBatch(rowsFrom(1, 3))
    await expect(sink(batch)).rejects.toThrow(/events_of_tomorrow/)
    await database.schema.alterTable('events').renameTo('events_of_tomorrow').execute()
    expect(await sink(batch)).toMatchObject({ outcome: 'applied' })
    expect(await database.selectFrom('stepladder_ledger_dead').selectAll().execute()).toEqual([])
  })

  test('more rows than one statement can hold go in together', async () => {
    const { database } = await makeDatabase(engine)
    const sink = kyselySink<Event>({ database, table: 'events' })
    await sink(makeBatch(rowsFrom(1, 40_000)))
    const { count } = await database
      .selectFrom('events')
      .select((of) => of.fn.countAll().as('count'))
      .executeTakeFirstOrThrow()
    expect(Number(count)).toBe(40_000)
  })

  test('processes that start together create the ledger once', async () => {
    const { database, place } = await makeDatabase(engine)
    const others = Array.from({ length: 4 }, () =>
      engine === 'sqlite' ? openSqlite(place) : openPostgres(place),
    )
    const deliveries = others.map(async (other, index) => {
      const sink = kyselySink<Event>({ database: other, table: 'events' })
      const batch = makeBatch([row(`row-${index}`, index)])
      while (!(await sink(batch).catch(() => undefined)));
    })
    await Promise.all(deliveries)
    await Promise.all(others.map((other) => other.destroy()))
    expect(await database.selectFrom('stepladder_ledger').selectAll().execute()).toHaveLength(4)
  })
})

test("onConflict 'update' without a key is refused at construction", async () => {
  const { database } = await makeDatabase('sqlite')
  expect(() => kyselySink({ database, table: 'events', onConflict: 'update' })).toThrow(InvalidOptionError)
})

function makeBatch<Row extends object = Event>(rows: readonly Row[]): { id: string; rows: readonly Row[] } {
  return { id: makeBatchId(Date.now(), rows.length), rows }
}

function rowsFrom(first: number, count: number): Event[] {
  return Array.from({ length: count }, (_, index) => row(`row-${first + index}`, index))
}

function row(id: string, value: number): Event {
  return { id, value }
}
