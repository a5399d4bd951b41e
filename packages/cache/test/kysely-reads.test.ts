import { cached, invalidateOnWrite, type KeepsAnswers, OpaqueStatementError } from '@stepladder/cache/kysely'
import { CamelCasePlugin, type Kysely, sql } from 'kysely'
import * as mysqlHelpers from 'kysely/helpers/mysql'
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/postgres'
import * as sqliteHelpers from 'kysely/helpers/sqlite'
import { describe, expect, test } from 'vitest'
import { mysqlCompiler, postgresCompiler, sqliteDatabase, type Tables } from './kysely-database.ts'

const nobody = { name: 'nobody', invalidate: async () => 'done' as const }
const db = invalidateOnWrite(postgresCompiler(), nobody)

interface Asked {
  readonly key: string
  readonly tags: readonly string[]
}

/** How a query would be kept. */
async function ask(
  query: Parameters<typeof cached>[1],
  options?: Parameters<typeof cached>[2],
): Promise<Asked> {
  let asked: Asked | undefined
  const cache: KeepsAnswers = {
    getOrSet: async (key, _load, { tags = [] }) => {
      asked = { key, tags: [...tags] }
      return [] as never // nobody looks at the rows
    },
  }
  await cached(cache, query, options)
  return asked!
}

async function tablesOf(query: Parameters<typeof cached>[1]): Promise<string[]> {
  return (await ask(query)).tags.map((tag) => tag.replace(/^table:/, '')).toSorted()
}

describe('a query is tagged with every table that it reads', () => {
  const flights = db.selectFrom('flights').selectAll()

  test.each<[string, Parameters<typeof cached>[1], string[]]>([
    ['one', flights, ['flights']],
    ['an alias', db.selectFrom('flights as f').select('f.id'), ['flights']],
    ['several', db.selectFrom(['flights as f', 'airports as a']).select('f.id'), ['airports', 'flights']],
    [
      'joins',
      db
        .selectFrom('flights as f')
        .leftJoin('airports as a', (join) => join.onRef('a.code', '=', 'f.airport'))
        .select('a.name'),
      ['airports', 'flights'],
    ],
    [
      'a lateral join',
      db
        .selectFrom('airports as a')
        .innerJoinLateral(
          (eb) =>
            eb.selectFrom('flights as f').select('f.id').whereRef('f.airport', '=', 'a.code').as('first'),
          (join) => join.onTrue(),
        )
        .select('first.id'),
      ['airports', 'flights'],
    ],
    ['a schema', db.withSchema('ops').selectFrom('flights').selectAll(), ['*.flights', 'ops.flights']],
    ['a schema by name', db.selectFrom('ops.flights').selectAll(), ['*.flights', 'ops.flights']],
    ['capitals', db.selectFrom(sql.table('Flights').as('f')).selectAll(), ['flights']],
    [
      'a subquery in where',
      flights.where('airport', 'in', db.selectFrom('airports').select('code')),
      ['airports', 'flights'],
    ],
    [
      'a subquery in select',
      db
        .selectFrom('airports as a')
        .select((eb) => eb.selectFrom('flights').select(eb.fn.countAll().as('n')).as('flights')),
      ['airports', 'flights'],
    ],
    [
      'a subquery in from',
      db.selectFrom((eb) => eb.selectFrom('flights').select('id').as('x')).selectAll(),
      ['flights'],
    ],
    [
      'exists',
      flights.where((eb) => eb.exists(eb.selectFrom('airports').select('code'))),
      ['airports', 'flights'],
    ],
    [
      'a union',
      db.selectFrom('flights').select('airport as code').unionAll(db.selectFrom('airports').select('code')),
      ['airports', 'flights'],
    ],
    [
      'with',
      db
        .with('busy', (q) => q.selectFrom('flights').select('airport'))
        .selectFrom('busy')
        .innerJoin('airports', 'airports.code', 'busy.airport')
        .selectAll(),
      ['airports', 'flights'],
    ],
    [
      'a `with` of the name of a table, which it reads itself',
      db
        .with('flights', (q) => q.selectFrom('flights').selectAll().where('seats', '>', 0))
        .selectFrom('flights')
        .selectAll(),
      ['flights'],
    ],
    [
      'a `with` that hides a table',
      db
        .with('airports', (q) => q.selectFrom('flights').select('airport as code'))
        .selectFrom('airports')
        .selectAll(),
      ['flights'],
    ],
    [
      'a `with` that hides no table of a schema',
      db
        .with('flights', (q) => q.selectFrom('airports').select('code'))
        .selectFrom('ops.flights')
        .selectAll(),
      ['*.flights', 'airports', 'ops.flights'],
    ],
    [
      'a `with` inside a subquery, which hides nothing outside of it',
      db
        .selectFrom('flights')
        .where(
          'airport',
          'in',
          db
            .with('flights', (q) => q.selectFrom('airports').select('code'))
            .selectFrom('flights')
            .select('code' as never),
        )
        .selectAll(),
      ['airports', 'flights'],
    ],
    [
      'a recursive `with`',
      db
        .withRecursive('chain', (q) =>
          q
            .selectFrom('flights')
            .select('id')
            .unionAll(
              q
                .selectFrom('chain')
                .innerJoin('airports', 'airports.code', 'chain.id' as never)
                .select('chain.id'),
            ),
        )
        .selectFrom('chain')
        .selectAll(),
      ['airports', 'flights'],
    ],
    [
      'nested JSON',
      db
        .selectFrom('airports as a')
        .select((eb) => [
          jsonArrayFrom(eb.selectFrom('flights as f').select('f.id').whereRef('f.airport', '=', 'a.code')).as(
            'all',
          ),
          jsonObjectFrom(eb.selectFrom('ops.flights as o').select('o.id')).as('one'),
        ]),
      ['*.flights', 'airports', 'flights', 'ops.flights'],
    ],
    [
      'JSON of a row by its alias',
      db.selectFrom('flights as f').select((eb) => eb.fn.toJson('f').as('json')),
      ['flights'],
    ],
    [
      'raw expressions beside it',
      flights.where(sql<boolean>`seats % ${2} = 0`).orderBy(sql`lower(airport)`),
      ['flights'],
    ],
    [
      'raw SQL around a query that is seen',
      db.selectFrom('airports').select(sql<number>`(select count(*) from ${sql.table('flights')})`.as('n')),
      ['airports', 'flights'],
    ],
  ])('%s', async (_what, query, expected) => {
    expect(await tablesOf(query)).toEqual(expected)
  })

  test('as MySQL and SQLite have them', async () => {
    for (const make of [mysqlCompiler, sqliteDatabase]) {
      const other: Kysely<Tables> = invalidateOnWrite(make(), nobody)
      const query = other
        .selectFrom('flights as f')
        .innerJoin('airports as a', 'a.code', 'f.airport')
        .select('a.name')
      expect(await tablesOf(query)).toEqual(['airports', 'flights'])
      const { jsonArrayFrom } = make === mysqlCompiler ? mysqlHelpers : sqliteHelpers
      const nested = other
        .selectFrom('airports as a')
        .select((eb) => jsonArrayFrom(eb.selectFrom('flights as f').select(['f.id', 'f.seats'])).as('all'))
      expect(await tablesOf(nested)).toEqual(['airports', 'flights'])
    }
  })
})

describe('raw SQL that may name a table', () => {
  const raw = (): [string, Parameters<typeof cached>[1]][] => [
    ['a subquery', db.selectFrom('airports').select(sql<number>`(select count(*) from flights)`.as('n'))],
    [
      'a join',
      db
        .selectFrom('flights')
        .select('id')
        .$call((q) => q.modifyEnd(sql`natural join airports`)),
    ],
    ['a table', db.selectFrom(sql<Tables['flights']>`flights`.as('f')).selectAll()],
    [
      'a function for a table',
      db.selectFrom((eb) => eb.fn<{ id: number }>('find_flights', []).as('f')).selectAll(),
    ],
    [
      'an identifier for a table',
      db.selectFrom('airports').select(sql<number>`(select 1 from ${sql.id('flights')})`.as('n')),
    ],
    [
      'another beside one that is seen',
      db.selectFrom('airports').select(sql`(select 1 from ${sql.table('flights')} f, seats)`.as('n')),
    ],
    [
      'raw `with`',
      db
        .with('f', () => sql<{ id: number }>`select id from flights`)
        .selectFrom('f')
        .selectAll(),
    ],
  ]

  test.each(raw())('is refused, and named: %s', async (_what, query) => {
    const failure = await ask(query).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(OpaqueStatementError)
    expect((failure as OpaqueStatementError).message).toContain('pass `tables` or `tags`')
  })

  test.each(raw())('is taken with its tables or tags named: %s', async (_what, query) => {
    expect((await ask(query, { tables: ['seats', 'ops.crew'] })).tags).toEqual(
      expect.arrayContaining(['table:seats', 'table:ops.crew', 'table:*.crew']),
    )
    expect((await ask(query, { tags: ['mine'] })).tags).toContain('mine')
  })
})

describe('a query that is no plain read is refused:', () => {
  test.each<[string, Parameters<typeof cached>[1], string]>([
    ['a write', db.insertInto('airports').values({ code: 'LAX', name: 'x' }).returningAll(), 'not a select'],
    [
      'a write in a `with`',
      db
        .with('gone', (q) => q.deleteFrom('flights').returning('id'))
        .selectFrom('gone')
        .selectAll(),
      'writes',
    ],
    ['a lock', db.selectFrom('flights').selectAll().forUpdate(), 'locks'],
  ])('%s', async (_what, query, problem) => {
    await expect(ask(query)).rejects.toMatchObject({
      code: 'UNCACHEABLE_QUERY',
      message: expect.stringContaining(problem),
    })
  })

  test('one of an instance that nobody watches, since it might be in a transaction', async () => {
    const unwatched = postgresCompiler()
    await expect(ask(unwatched.selectFrom('flights').selectAll())).rejects.toMatchObject({
      code: 'UNCACHEABLE_QUERY',
      message: expect.stringContaining('invalidateOnWrite'),
    })
  })

  test('one with a parameter of a class that only the driver knows', async () => {
    class Point {}
    const query = db
      .selectFrom('flights')
      .selectAll()
      .where('airport', '=', new Point() as never)
    await expect(ask(query)).rejects.toMatchObject({
      code: 'UNCACHEABLE_QUERY',
      message: expect.stringContaining('Point'),
    })
  })
})

describe('the key of a query', () => {
  const keyOf = async (query: Parameters<typeof cached>[1]) => (await ask(query)).key
  const where = (value: unknown) =>
    db
      .selectFrom('flights')
      .selectAll()
      .where('seats', '=', value as never)

  test('is the same for the same SQL and parameters', async () => {
    expect(await keyOf(where(1))).toBe(await keyOf(where(1)))
  })

  test('tells parameters apart by type and value', async () => {
    const values = [
      ...[0, -0, 1, '1', 1n, true, 'true', null, 'null', '', Number.NaN],
      ...[new Date(1), new Date(2), '1970-01-01T00:00:00.001Z', Buffer.from('1'), new Uint8Array([1])],
      ...[[1, 2], [[1], 2], ['1', '2'], '1,2', { a: 1 }, { a: '1' }, { b: 1 }, '{"a":1}'],
    ]
    const keys = await Promise.all(values.map((value) => keyOf(where(value))))
    expect(new Set(keys).size).toBe(values.length)
  })

  test('does not take two parameters for others that look alike together', async () => {
    const both = (a: string, b: string) => where(a).where('airport', '=', b)
    expect(await keyOf(both('a', 'b'))).not.toBe(await keyOf(both('as1:b', '')))
  })

  test('tells databases apart by their name, and instances by their plugins', async () => {
    const base = postgresCompiler()
    const keys = await Promise.all(
      [
        invalidateOnWrite(base, nobody),
        invalidateOnWrite(base, nobody, { database: 'eu-1' }),
        invalidateOnWrite(base, nobody, { database: 'eu-2' }),
        invalidateOnWrite(base, nobody).withPlugin(new CamelCasePlugin()),
        invalidateOnWrite(base, nobody).withPlugin(new CamelCasePlugin({ maintainNestedObjectKeys: true })),
      ].map((other) => keyOf(other.selectFrom('flights').selectAll())),
    )
    expect(new Set(keys).size).toBe(5)
  })

  test('tags belong to the database as well', async () => {
    const eu = invalidateOnWrite(postgresCompiler(), nobody, {
      database: 'eu-1',
    })
    expect((await ask(eu.selectFrom('flights').selectAll())).tags).toEqual(['table:eu-1/flights'])
  })
})
