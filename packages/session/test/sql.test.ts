import { FakeClock } from '@stepladder/core/testing'
import { KyselySessionBackend } from '@stepladder/session'
import { afterEach, expect, test } from 'vitest'
import { sqliteDatabase } from './sqlite-database.ts'

const databases: ReturnType<typeof sqliteDatabase>[] = []
afterEach(async () => {
  for (const database of databases.splice(0)) await database.destroy()
})

function setUp() {
  const database = sqliteDatabase()
  databases.push(database)
  const clock = new FakeClock()
  return { database, clock, backend: new KyselySessionBackend({ database, clock, prefix: 'a_' }) }
}

test('rows whose time is over are removed now and then', async () => {
  const { database, clock, backend } = setUp()
  await backend.put('old', '{}', 1_000)

  await clock.advance(20 * 60_000)
  await backend.put('young', '{}', 1_000)
  await clock.advance(0)

  const rows = await database.selectFrom('stepladder_sessions').select('sid').execute()
  expect(rows).toEqual([{ sid: 'a_young' }])
})

test('a store sees and clears the records of its own prefix only', async () => {
  const { database, backend } = setUp()
  const other = new KyselySessionBackend({ database, prefix: 'ab' })
  await backend.put('ada', '{}', 60_000)
  await other.put('bob', '{}', 60_000_000_000_000)

  expect([...(await backend.all()).keys()]).toEqual(['ada'])
  await backend.clear()
  expect(await other.length()).toBe(1)
})

test('a table that could not be created is tried again', async () => {
  const { database, backend } = setUp()
  await database.schema.createTable('stepladder_sessions').addColumn('other', 'text').execute()
  await expect(backend.get('ada')).rejects.toThrow('no such column')

  await database.schema.dropTable('stepladder_sessions').execute()
  expect(await backend.get('ada')).toBeUndefined()
})
