import {
  createWriteBehind,
  type KyselyDatabase,
  kyselySink,
  type Sink,
  type WriteBehind,
} from '@stepladder/queue'
import type { Kysely } from 'kysely'
import { expectTypeOf, test } from 'vitest'

interface Reading {
  sensor: string
  value: number
}

test('rows are checked where they are written', () => {
  const write = (queue: WriteBehind<Reading>) => {
    void queue.write({ sensor: 'a', value: 1 })
    void queue.write([{ sensor: 'a', value: 1 }])
    // @ts-expect-error: a value is missing
    void queue.write({ sensor: 'a' })
    // @ts-expect-error: no such column
    void queue.write({ sensor: 'a', value: 1, unit: 'K' })
  }
  expectTypeOf(write).returns.toBeVoid()
})

test('the rows of the queue are those of its sink', () => {
  const open = (sink: Sink<Reading>) => createWriteBehind({ name: 'readings', directory: '.', sink })
  expectTypeOf(open).returns.toEqualTypeOf<WriteBehind<Reading>>()
})

test('a Kysely of any tables is a database, and a sink for it takes the rows of its queue', () => {
  expectTypeOf<Kysely<{ readings: Reading }>>().toExtend<KyselyDatabase>()
  const open = (database: Kysely<{ readings: Reading }>) =>
    createWriteBehind<Reading>({
      name: 'readings',
      directory: '.',
      sink: kyselySink({ database, table: 'readings' }),
    })
  expectTypeOf(open).returns.toEqualTypeOf<WriteBehind<Reading>>()
})
