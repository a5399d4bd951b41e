import { invalidateOnWrite, OpaqueStatementError, tagsOfTables, writesTo } from '@stepladder/cache/kysely'
import { CompiledQuery, type Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { mysqlCompiler, postgresCompiler, type Tables } from './kysely-database.ts'
import { RecordingCache } from './recording-cache.ts'

type Run = (db: Kysely<Tables>) => Promise<unknown>

/** What a statement invalidates, on a database that takes everything. */
async function written(run: Run, make: () => Kysely<Tables> = postgresCompiler): Promise<string[]> {
  const cache = new RecordingCache()
  await run(invalidateOnWrite(make(), cache))
  return cache.tables
}

const row = { id: 1, airport: 'SFO', seats: 9 }

describe('a statement invalidates the tables that it writes, and those only:', () => {
  test.each<[string, Run, string[]]>([
    ['insert', (db) => db.insertInto('flights').values(row).execute(), ['flights']],
    ['update', (db) => db.updateTable('flights').set({ seats: 1 }).execute(), ['flights']],
    [
      'update with raw expressions',
      (db) => db.updateTable('flights').set({ seats: sql`seats - 1` }).execute(),
      ['flights'],
    ],
    ['update of an alias', (db) => db.updateTable('flights as f').set({ seats: 1 }).execute(), ['flights']],
    [
      'update from another',
      (db) =>
        db
          .updateTable('flights')
          .from('airports')
          .set({ seats: 1 })
          .whereRef('code', '=', 'airport')
          .execute(),
      ['flights'],
    ],
    ['delete', (db) => db.deleteFrom('flights').where('id', '=', 1).execute(), ['flights']],
    [
      'delete using another',
      (db) => db.deleteFrom('flights').using('airports').whereRef('code', '=', 'airport').execute(),
      ['flights'],
    ],
    [
      'insert of what is selected',
      (db) =>
        db
          .insertInto('airports')
          .columns(['code', 'name'])
          .expression(db.selectFrom('flights').select(['airport as code', 'airport as name']))
          .execute(),
      ['airports'],
    ],
    [
      'on conflict',
      (db) =>
        db
          .insertInto('flights')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ seats: 2 }))
          .execute(),
      ['flights'],
    ],
    [
      'merge',
      (db) =>
        db
          .mergeInto('flights as f')
          .using('airports as a', 'a.code', 'f.airport')
          .whenMatched()
          .thenUpdateSet({ seats: 3 })
          .whenNotMatched()
          .thenInsertValues({ id: 4, airport: 'LAX', seats: 1 })
          .execute(),
      ['flights'],
    ],
    [
      'what a `with` writes',
      (db) =>
        db
          .with('gone', (q) => q.deleteFrom('flights').returning('airport'))
          .with('more', (q) => q.insertInto('ops.flights').values(row).returning('id'))
          .selectFrom('gone')
          .selectAll()
          .execute(),
      ['flights ops.flights'],
    ],
    [
      'a schema',
      (db) => db.withSchema('ops').insertInto('flights').values(row).execute(),
      ['flights ops.flights'],
    ],
    ['drop table', (db) => db.schema.dropTable('flights').execute(), ['flights']],
    ['alter table', (db) => db.schema.alterTable('flights').addColumn('gate', 'text').execute(), ['flights']],
    [
      'rename',
      (db) => db.schema.alterTable('flights').renameTo('old_flights').execute(),
      ['flights old_flights'],
    ],
    ['refresh of a view', (db) => db.schema.refreshMaterializedView('departures').execute(), ['departures']],
    [
      'create view',
      (db) => db.schema.createView('v').orReplace().as(db.selectFrom('flights').selectAll()).execute(),
      ['v'],
    ],
    ['create index', (db) => db.schema.createIndex('i').on('flights').column('airport').execute(), []],
    ['select', (db) => db.selectFrom('flights').selectAll().execute(), []],
    ['select for update', (db) => db.selectFrom('flights').selectAll().forUpdate().execute(), []],
    ['raw select', (db) => sql`select * from flights for update`.execute(db), []],
    ['raw `with` that reads', (db) => sql`with x as (select 1) select * from x`.execute(db), []],
    ['raw set', (db) => sql`set search_path = ops`.execute(db), []],
    [
      'raw SQL with its tables',
      (db) => sql`truncate flights, airports`.withPlugin(writesTo('flights', 'airports')).execute(db),
      ['airports flights'],
    ],
    ['raw SQL that names nothing', (db) => sql`create extension x`.withPlugin(writesTo()).execute(db), []],
    [
      'tables named beside those that are seen',
      (db) => db.deleteFrom('airports').withPlugin(writesTo('flights')).execute(),
      ['airports flights'],
    ],
    ['a statement without plugins', (db) => db.withoutPlugins().deleteFrom('flights').execute(), ['flights']],
    ['a compiled statement', (db) => db.executeQuery(db.deleteFrom('flights').compile()), ['flights']],
    [
      'one that is compiled elsewhere',
      (db) => db.executeQuery(postgresCompiler().deleteFrom('flights').compile()),
      ['flights'],
    ],
    [
      'on a connection of its own',
      (db) => db.connection().execute((one) => one.deleteFrom('flights').execute()),
      ['flights'],
    ],
  ])('%s', async (_what, run, tables) => {
    expect(await written(run)).toEqual(tables)
  })

  test.each<[string, Run, string[]]>([
    ['insert', (db) => db.insertInto('flights').values(row).execute(), ['flights']],
    ['replace', (db) => db.replaceInto('flights').values(row).execute(), ['flights']],
    [
      'on duplicate key',
      (db) => db.insertInto('flights').values(row).onDuplicateKeyUpdate({ seats: 2 }).execute(),
      ['flights'],
    ],
    [
      'update of two',
      (db) =>
        db
          .updateTable(['flights as f', 'airports as a'])
          .set({ seats: 1 })
          .whereRef('a.code', '=', 'f.airport')
          .execute(),
      ['airports flights'],
    ],
    ['delete', (db) => db.deleteFrom('flights').limit(1).execute(), ['flights']],
  ])('in MySQL: %s', async (_what, run, tables) => {
    expect(await written(run, mysqlCompiler)).toEqual(tables)
  })
})

describe('raw SQL that may write is refused before it is sent, and named:', () => {
  test.each<[string, Run]>([
    ['insert', (db) => sql`insert into flights values (1)`.execute(db)],
    [
      'update after a comment',
      (db) => sql`/* why */ -- and more${sql.raw('\n')} update flights set seats = 1`.execute(db),
    ],
    ['truncate', (db) => sql`truncate flights`.execute(db)],
    ['a procedure', (db) => sql`call close_flights()`.execute(db)],
    ['a block', (db) => sql`do $$ begin delete from flights; end $$`.execute(db)],
    [
      'a raw `with` that writes',
      (db) => sql`with x as (delete from flights returning *) select * from x`.execute(db),
    ],
    ['select into', (db) => sql`select * into copies from flights`.execute(db)],
    ['two statements', (db) => sql`select '--'; delete from flights`.execute(db)],
    ['a transaction in one text', (db) => sql`begin; drop table flights; commit`.execute(db)],
    ['parts of parts', (db) => sql`select 1; ${sql`delete ${sql.raw('from')} flights`}`.execute(db)],
    [
      'a raw part of a `with`',
      (db) =>
        db
          .with('x', () => sql<{ id: number }>`delete from flights returning id`)
          .selectFrom('x')
          .selectAll()
          .execute(),
    ],
    [
      'a raw name',
      (db) => db.updateTable(sql<Tables['flights']>`flights`.as('f')).set({ seats: 1 }).execute(),
    ],
    ['drop schema', (db) => db.schema.dropSchema('ops').execute()],
    ['a compiled statement', (db) => db.executeQuery(CompiledQuery.raw('delete from flights'))],
  ])('%s', async (_what, run) => {
    const cache = new RecordingCache()
    const failure = await run(invalidateOnWrite(postgresCompiler(), cache)).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(OpaqueStatementError)
    expect((failure as OpaqueStatementError).message).toContain('writesTo')
    expect(cache.told).toEqual([])
  })
})

test('what changes with a table is invalidated with it, and with what changes with that', async () => {
  const cache = new RecordingCache()
  const dependents = { airports: ['flights'], 'ops.flights': ['crews'], flights: ['departures', 'airports'] }
  const db = invalidateOnWrite(postgresCompiler(), cache, { dependents })
  await db.deleteFrom('airports').execute()
  await db.withSchema('ops').deleteFrom('flights').execute()
  await db.withSchema('hr').deleteFrom('flights').execute()
  // A name without a schema may mean the table of any: rather once too often.
  expect(cache.tables).toEqual([
    'airports crews departures flights',
    'airports crews departures flights ops.flights',
    'airports crews departures flights hr.flights',
  ])
})

test('a name with a schema and one without reach each other; two schemas do not', () => {
  expect(tagsOfTables(['flights'])).toEqual(['table:flights', 'table:*.flights'])
  expect(tagsOfTables(['Ops.Flights'], 'eu-1')).toEqual(['table:eu-1/ops.flights', 'table:eu-1/flights'])
})

test('wrong options are refused by their name', async () => {
  const cache = new RecordingCache()
  const db = postgresCompiler()
  const wrong = [
    () => invalidateOnWrite({} as never, cache),
    () => invalidateOnWrite(db, {} as never),
    () => invalidateOnWrite(db, cache, { database: 'a/b' }),
    () => invalidateOnWrite(db, cache, { outboxTable: 'x; drop table y' }),
    () => invalidateOnWrite(db, cache, { dependents: { airports: 'flights' } as never }),
    () => invalidateOnWrite(db, cache, { outboxes: true } as never),
  ]
  const named = wrong.map((make) => {
    try {
      return make()
    } catch (failure) {
      return (failure as { option: string }).option
    }
  })
  expect(named).toEqual(['db', 'cache', 'database', 'outboxTable', 'dependents', 'outboxes'])
  await db.transaction().execute(async (trx) => expect(() => invalidateOnWrite(trx, cache)).toThrow('"db"'))
})
