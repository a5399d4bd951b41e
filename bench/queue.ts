import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@stepladder/core/testing'
import { createWriteBehind, kyselySink } from '@stepladder/queue'
import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import type { Bench } from './figure.ts'
import { interleave } from './interleave.ts'

interface Tables {
  events: { id: number; flight: number; note: string }
}

const callers = 64
const rowsPerCaller = 30

export const bench: Bench = {
  name: 'queue',
  async run(rounds) {
    const postgres = await startPostgres()
    const directory = await mkdtemp(join(tmpdir(), 'stepladder-bench-'))
    const pool = new Pool({ connectionString: await postgres.createDatabase(), max: 20 })
    const database = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
    const table = database.schema.createTable('events').addColumn('id', 'integer', (id) => id.primaryKey())
    await table.addColumn('flight', 'integer').addColumn('note', 'text').execute()
    const sink = kyselySink({ database, table: 'events' })
    const events = createWriteBehind<Tables['events']>({ name: 'events', directory, sink, embedded: true })
    try {
      const { arms, ratio, spread } = await interleave(
        {
          'write, until all is in the database': async () =>
            rowsPerSecond(
              (row) => events.write(row),
              () => events.flush(),
            ),
          'insert for each row': async () =>
            rowsPerSecond((row) => database.insertInto('events').values(row).execute()),
        },
        rounds,
        (round) => round['write, until all is in the database'] / round['insert for each row'],
      )
      const what =
        'rows in Postgres per second from 64 callers, acknowledged by a synced journal, vs an insert for each'
      return [
        { id: 'persisted', what, aim: '>= 3', value: ratio, unit: 'x', arms, armsUnit: 'rows/s', spread },
      ]
    } finally {
      await events.close()
      await database.destroy()
      await postgres.stop()
      await rm(directory, { recursive: true })
    }
  },
}

let lastId = 0

async function rowsPerSecond(
  write: (row: Tables['events']) => Promise<unknown>,
  finish: () => Promise<unknown> = async () => {},
): Promise<number> {
  const caller = async () => {
    for (let row = 0; row < rowsPerCaller; row++) {
      const id = ++lastId
      await write({ id, flight: id % 1_000, note: 'x'.repeat(200) })
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: callers }, caller))
  await finish()
  return (callers * rowsPerCaller) / ((performance.now() - startedAt) / 1_000)
}
