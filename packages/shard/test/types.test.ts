import { createShards } from '@stepladder/shard'
import type { Kysely } from 'kysely'
import { expectTypeOf, test } from 'vitest'
import { type BookingsDatabase, sqliteShard } from './sqlite-shard.ts'

// The promises are checked by tsc; running them only shows that they can be written.
const shards = createShards({ shards: { eu: sqliteShard(), us: sqliteShard() }, key: 'bigint' })

test('for() has the type of the databases that were given', () => {
  expectTypeOf(shards.for(42)).toEqualTypeOf<Kysely<BookingsDatabase>>()
})

test('all() has the type of what its task returns', () => {
  const customers = (db: Kysely<BookingsDatabase>) => db.selectFrom('bookings').select('customer').execute()
  expectTypeOf(shards.all(customers)).toEqualTypeOf<Promise<{ customer: string }[][]>>()
  expectTypeOf(shards.all(customers, { partial: true }))
    .resolves.toHaveProperty('values')
    .toEqualTypeOf<{ customer: string }[][]>()
})

test('a key has to be of the declared type', () => {
  expectTypeOf(shards.for).parameter(0).toEqualTypeOf<number | bigint | string>()
  const byText = createShards({ shards: { eu: sqliteShard() }, key: 'text' })
  expectTypeOf(byText.for).parameter(0).toEqualTypeOf<string>()
  // @ts-expect-error: no key, no shard
  expectTypeOf(() => shards.for(undefined)).toBeFunction()
})
