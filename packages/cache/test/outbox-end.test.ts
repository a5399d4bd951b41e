import { EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOutboxTable, invalidateOnWrite, relayOutbox } from '@stepladder/cache/kysely'
import { RecordedReports } from '@stepladder/core/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { fill, sqliteDatabase } from './kysely-database.ts'
import { RecordingCache } from './recording-cache.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('to end a watched instance takes its rows out, and waits for no timer: a process with nothing else would end first', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'outbox-'))
  const file = join(folder, 'db')
  const base = sqliteDatabase(file)
  await fill(base)
  await createOutboxTable(base)
  const db = invalidateOnWrite(base, new RecordingCache(), { outbox: true })
  // As good as unreferenced ones where nothing else keeps the process alive.
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  await db.deleteFrom('flights').execute()
  await db.deleteFrom('airports').execute()
  await db.destroy()

  const again = sqliteDatabase(file)
  const relay = relayOutbox({ db: again, cache: new RecordingCache() })
  expect(await relay.backlog()).toEqual({ rows: 0, oldestMs: 0 })
  await relay.close()
  await again.destroy()
  await rm(folder, { recursive: true })
})

test('a relay that cannot listen leaves nothing behind on the client', async () => {
  class Refusing extends EventEmitter {
    async query(): Promise<never> {
      throw new Error('no LISTEN behind this pooler')
    }
  }
  const base = sqliteDatabase()
  await createOutboxTable(base)
  const client = new Refusing()
  const reports = new RecordedReports()
  const relay = relayOutbox({
    ...{ db: base, cache: new RecordingCache(), listen: client, report: reports.report },
  })
  await reports.until('outbox', 'failed')
  expect(client.listenerCount('notification')).toBe(0)
  await relay.close()
  await base.destroy()
})
