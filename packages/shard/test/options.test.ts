import {
  createShards,
  InvalidPlacementError,
  type Placement,
  placeBuckets,
  type ShardsOptions,
} from '@stepladder/shard'
import { describe, expect, test } from 'vitest'
import { type IdleDatabase, idleDatabases } from './idle-databases.ts'

const two = () => ({ shards: idleDatabases('eu', 'us'), key: 'bigint' }) as const

describe('the placement is data', () => {
  test('an exported placement, given back, leaves every key where it is', () => {
    const before = createShards({ ...two(), placement: { eu: 3, us: 1 } })
    const placement: Placement = JSON.parse(JSON.stringify(before.exportPlacement()))
    const after = createShards({ ...two(), placement })

    expect(after.stats()).toEqual(before.stats())
    for (let key = 0; key < 1_000; key++) expect(after.shardOf(key)).toBe(before.shardOf(key))
  })

  test('a shard that the saved placement does not know owns nothing, and no key moves', () => {
    const before = createShards(two())
    const after = createShards({
      shards: idleDatabases('ap', 'eu', 'us'),
      key: 'bigint',
      placement: before.exportPlacement(),
    })

    expect(after.stats()[0]).toEqual({ shard: 'ap', buckets: 0, routed: 0 })
    for (let key = 0; key < 1_000; key++) expect(after.shardOf(key)).toBe(before.shardOf(key))
    expect(after.exportPlacement().shards).toMatchObject({ ap: '' })
  })

  test('control: without the saved placement, a shard more moves keys', () => {
    const before = createShards(two())
    const after = createShards({ shards: idleDatabases('ap', 'eu', 'us'), key: 'bigint' })
    const keys = Array.from({ length: 1_000 }, (_, key) => key)
    expect(keys.filter((key) => before.shardOf(key) !== after.shardOf(key)).length).toBeGreaterThan(300)
  })

  test('a shard that owns buckets and has no database is an error that names it', () => {
    const placement = placeBuckets({ shards: { ap: 1, eu: 1, us: 1 } })
    expect(() => createShards({ ...two(), placement })).toThrow(InvalidPlacementError)
    expect(() => createShards({ ...two(), placement })).toThrow('no database for "ap", which owns buckets')
  })

  test('a shard that was emptied may go', () => {
    const placement = placeBuckets({ shards: { ap: 0, eu: 1, us: 1 } })
    expect(createShards({ ...two(), placement }).names).toEqual(['eu', 'us'])
  })
})

describe('wrong options throw at construction, naming the option', () => {
  const oneDatabase = idleDatabases('eu').eu
  const wrong: [object, string][] = [
    [{ shard: {} }, 'there is no option "shard"; did you mean "shards"?'],
    [{ shards: undefined }, 'option "shards" must be an object of databases by name'],
    [{ shards: {} }, 'option "shards" must be an object of databases by name'],
    [{ shards: { eu: 'postgres://eu' } }, 'option "shards.eu" must be a Kysely instance'],
    [{ shards: { eu: oneDatabase, us: oneDatabase } }, 'must be another instance than that of "eu"'],
    [{ key: 'int' }, 'option "key" must be one of bigint, uuid, text, but is "int"'],
    [{ key: undefined }, 'option "key" must be one of bigint, uuid, text'],
    [{ key: 'constructor' }, 'option "key" must be one of bigint, uuid, text'],
    [{ buckets: 1000 }, 'option "buckets" must be a power of two up to 16384, but is 1000'],
    [{ concurrency: 0 }, 'option "concurrency" must be a whole number above 0'],
    [{ timeout: 'soon' }, 'option "timeout" must be a duration'],
    [{ placement: null }, 'option "placement" must be a saved placement or weights by shard'],
    [{ placement: { eu: 1 } }, 'option "placement.us" must be the weight of that shard'],
    [{ placement: { eu: 1, us: 1, ap: 1 } }, 'option "placement.ap" must be left out'],
    [{ placement: placeBuckets({ shards: { eu: 1 } }), buckets: 8 }, 'must be 4096, as in the placement'],
  ]

  test.each(wrong)('%o', (options, problem) => {
    // What JavaScript callers may hand over, the types notwithstanding.
    const given = { ...two(), ...options } as unknown as ShardsOptions<IdleDatabase, 'bigint'>
    expect(() => createShards(given)).toThrow(problem)
  })
})

describe('close()', () => {
  test('leaves the databases alone, as they are the app’s', async () => {
    const shards = idleDatabases('eu', 'us')
    await createShards({ shards, key: 'bigint' }).close()
    expect([shards.eu.isDestroyed, shards.us.isDestroyed]).toEqual([false, false])
  })

  test('destroys them once if told that it owns them', async () => {
    const shards = idleDatabases('eu', 'us')
    const owner = createShards({ shards, key: 'bigint', ownsDatabases: true })
    await Promise.all([owner.close(), owner.close()])
    expect([shards.eu.isDestroyed, shards.us.isDestroyed]).toEqual([true, true])
  })

  test('waits for an all() under way first', async () => {
    const shards = idleDatabases('eu', 'us')
    const owner = createShards({ shards, key: 'bigint', ownsDatabases: true })
    const { promise: slow, resolve } = Promise.withResolvers<boolean>()
    const asked = owner.all(async (db) => (await slow) && db.isDestroyed)
    const closing = owner.close()
    await new Promise(setImmediate)
    resolve(true)

    expect(await asked).toEqual([false, false])
    await closing
    expect(shards.eu.isDestroyed).toBe(true)
  })
})
