import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createShards, InvalidShardKeyError, type KeyType } from '@stepladder/shard'
import { describe, expect, test } from 'vitest'
import { idleDatabases } from './idle-databases.ts'

const setUp = <Key extends KeyType>(key: Key) =>
  createShards({ name: 'bookings', shards: idleDatabases('ap', 'eu', 'us'), key })

test('the same key finds the same shard in two processes, which list their shards in another order', async () => {
  const [one, two] = await Promise.all([routesIn('eu,us,ap'), routesIn('us,ap,eu')])
  expect(one.ours).toHaveLength(1_000)
  expect(one.ours).toEqual(two.ours)
  // A ring with random points is what some packages do; here the same test has to fail.
  expect(one.control).not.toEqual(two.control)
})

async function routesIn(names: string): Promise<{ ours: string[]; control: string[] }> {
  const script = join(import.meta.dirname, 'fixtures/print-routes.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=@stepladder/source',
    script,
    names,
  ])
  return JSON.parse(stdout)
}

test('100000 keys spread over 8 shards within 2 % of the mean', () => {
  const shards = createShards({ shards: idleDatabases(...'abcdefgh'), key: 'text' })
  for (let key = 0; key < 100_000; key++) shards.for(`user:${key}`)

  const routed = shards.stats().map((shard) => shard.routed)
  expect(routed.reduce((sum, count) => sum + count)).toBe(100_000)
  expect(Math.max(...routed) / 12_500).toBeLessThanOrEqual(1.02)
})

test.each([
  ['bigint', (index: number) => String(index * 7_919)],
  ['uuid', (index: number) => `01890a5d-ac96-774b-bcce-${String(index).padStart(12, '0')}`],
  ['text', (index: number) => `Zoë ${index}`],
] as const)('routing a %s key costs less than a microsecond', (type, keyOf) => {
  const shards = setUp(type)
  const keys = Array.from({ length: 20_000 }, (_, index) => keyOf(index))
  const roundsMs = Array.from({ length: 7 }, () => {
    const startedAt = performance.now()
    for (const key of keys) shards.for(key)
    return performance.now() - startedAt
  })
  // The best round: in the others the machine was busy with something else.
  expect((Math.min(...roundsMs) * 1_000) / keys.length).toBeLessThan(1)
})

test('for() hands out the database of the shard that shardOf() names', () => {
  const shards = setUp('text')
  for (const key of ['ada', 'grace', 'linus', 'Zoë', '']) {
    expect(shards.for(key).name).toBe(shards.shardOf(key))
    expect(shards.bucketOf(key)).toBeLessThan(4096)
  }
})

test('stats() counts what for() routed, and what each shard owns', () => {
  const shards = setUp('bigint')
  shards.for(42)
  shards.for('42')
  shards.shardOf(42)

  const stats = shards.stats()
  expect(stats.map(({ shard }) => shard)).toEqual(['ap', 'eu', 'us'])
  expect(stats.map(({ buckets }) => buckets)).toEqual([1366, 1365, 1365])
  expect(stats.find(({ shard }) => shard === shards.shardOf(42))?.routed).toBe(2)
})

describe('a key is the same key however it is written', () => {
  test.each([
    [42, 42n, '42'],
    [0, -0, 0n, '0'],
    [-42, -42n, '-42'],
    [Number.MAX_SAFE_INTEGER, 9007199254740991n, '9007199254740991'],
    [Number.MIN_SAFE_INTEGER, -9007199254740991n, '-9007199254740991'],
    [-(2 ** 33), -8589934592n, '-8589934592'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [-(2n ** 63n), '-9223372036854775808'],
  ])('bigint %s', (...spellings) => {
    const buckets = spellings.map((key) => setUp('bigint').bucketOf(key))
    expect(new Set(buckets).size).toBe(1)
  })

  test('uuid in upper and lower case', () => {
    const id = '01890a5d-ac96-774b-bcce-b302099a8057'
    expect(setUp('uuid').bucketOf(id.toUpperCase())).toBe(1083)
    expect(setUp('uuid').bucketOf(id)).toBe(1083)
  })

  test('but text is taken as it is, since the database tells these apart', () => {
    const { bucketOf } = bound(setUp('text'))
    expect(bucketOf('Ada')).not.toBe(bucketOf('ada'))
    expect(bucketOf('42')).not.toBe(setUp('bigint').bucketOf('42'))
    expect(bucketOf('e\u0301')).not.toBe(bucketOf('\u00e9'))
  })
})

const bound = (shards: ReturnType<typeof setUp<'text'>>) => ({
  bucketOf: (key: string) => shards.bucketOf(key),
})

describe('what is no key is refused, naming its value and type', () => {
  const nothing: unknown[] = [
    undefined,
    null,
    Number.NaN,
    {},
    [],
    [42],
    true,
    Symbol('ada'),
    () => 42,
    new Date(0),
  ]
  const bad: Record<KeyType, unknown[]> = {
    bigint: [
      ...nothing,
      1.5,
      2 ** 53,
      Infinity,
      2n ** 63n,
      -(2n ** 63n) - 1n,
      '',
      ' 42',
      '042',
      '+42',
      '-0',
      '4e2',
      '0x2a',
      '42n',
      '9223372036854775808',
      '١',
    ],
    uuid: [
      ...nothing,
      42,
      '',
      'ada',
      '01890a5dac96774bbcceb302099a8057',
      '{01890a5d-ac96-774b-bcce-b302099a8057}',
      '01890a5d-ac96-774b-bcce-b302099a8057\n',
    ],
    text: [...nothing, 42, 42n, 'a\0b', '\ud83e', 'x\udc00y'],
  }

  for (const type of ['bigint', 'uuid', 'text'] as const) {
    test.each(bad[type].map((key) => [key]))(`${type}: %o`, (key) => {
      // What JavaScript callers may hand over, the types notwithstanding.
      const wrong = key as never
      for (const ask of ['for', 'shardOf', 'bucketOf'] as const) {
        expect(() => setUp(type)[ask](wrong)).toThrow(InvalidShardKeyError)
      }
    })
  }

  test.each([
    ['1.5 (number)', 1.5],
    ['"0x2a" (string)', '0x2a'],
    ['undefined', undefined],
    ['an object', { id: 42 }],
    [`"${'9'.repeat(78)}… (string)`, '9'.repeat(100)],
  ])('the message says: but is %s', (described, key) => {
    expect(() => setUp('bigint').for(key as never)).toThrow(`Shards "bookings": a key must be a whole number`)
    expect(() => setUp('bigint').for(key as never)).toThrow(`but is ${described}`)
  })
})

test('no refused key is counted as routed', () => {
  const shards = setUp('bigint')
  expect(() => shards.for(Number.NaN)).toThrow(InvalidShardKeyError)
  expect(shards.stats().every(({ routed }) => routed === 0)).toBe(true)
})
