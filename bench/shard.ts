import { createShards } from '@stepladder/shard'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { Bench } from './figure.ts'
import { interleave } from './interleave.ts'

const calls = 500_000
const keys = Array.from({ length: 10_000 }, (_, index) => BigInt(index * 7919))

export const bench: Bench = {
  name: 'shard',
  async run(rounds) {
    const databases = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`shard-${index}`, unconnected()]),
    )
    const shards = createShards({ shards: databases, key: 'bigint' })
    const list = Object.values(databases)
    const { arms, ratio, spread } = await interleave(
      {
        'shards.for': async () => nsPerCall((key) => shards.for(key)),
        'modulo (moves 7 of 8 keys when a shard is added)': async () =>
          nsPerCall((key) => list[Number(key % 8n)]),
      },
      rounds,
      (round) => round['shards.for'] / 1_000,
    )
    const what = 'time to route a key, in microseconds'
    return [{ id: 'route', what, aim: '<= 1', value: ratio, unit: 'us', arms, armsUnit: 'ns/call', spread }]
  },
}

/** `for` never touches what it routes to. */
function unconnected(): Kysely<unknown> {
  return new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (database) => new SqliteIntrospector(database),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

function nsPerCall(call: (key: bigint) => unknown): number {
  const startedAt = performance.now()
  for (let index = 0; index < calls; index++) call(keys[index % keys.length]!)
  return ((performance.now() - startedAt) * 1e6) / calls
}
