import { type CacheOptions, createCache, UnstorableValueError, ValueTooLargeError } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { RecordedReports } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { recordCodec } from '../src/codec/record.ts'
import { placeRecord } from './place-record.ts'

function setUp() {
  const reports = new RecordedReports()
  const store = new MemoryStore()
  const make = () => createCache({ name: 'test', ttl: '1m', store, report: reports.report })
  return { cache: make(), another: make(), store, reports }
}

test.each<[string, unknown]>([
  ['a number', 7],
  ['nothing', undefined],
  ['an object', {}],
  ['the empty string', ''],
  ['more than 1 KiB', 'x'.repeat(1_025)],
  ['more than 1 KiB of long characters', '€'.repeat(342)],
  ['half a character', 'a\ud800'],
])('a key that is %s is refused', async (_what, key) => {
  const { cache } = setUp()
  const refused = { code: 'INVALID_KEY' }
  // A caller in JavaScript may pass anything.
  const given = key as string
  await expect(cache.getOrSet(given, () => 1)).rejects.toMatchObject(refused)
  await expect(cache.get(given)).rejects.toMatchObject(refused)
  await expect(cache.set(given, 1)).rejects.toMatchObject(refused)
  await expect(cache.invalidate({ keys: [given] })).rejects.toMatchObject(refused)
  await expect(cache.invalidate({ tags: [given] })).rejects.toMatchObject(refused)
  await expect(cache.getOrSet('key', () => 1, { tags: [given] })).rejects.toMatchObject(refused)
})

test('a key of exactly 1 KiB is one', async () => {
  const { cache } = setUp()
  expect(await cache.getOrSet('x'.repeat(1_024), () => 1)).toBe(1)
})

test.each<[string, Partial<Record<keyof CacheOptions | 'tll', unknown>>]>([
  ['ttl', { ttl: -1 }],
  ['ttl', { ttl: 0 }],
  ['ttl', { ttl: Number.POSITIVE_INFINITY }],
  ['ttl', { ttl: 'soon' }],
  ['grace', { grace: -1 }],
  ['jitter', { jitter: 1 }],
  ['jitter', { jitter: Number.NaN }],
  ['maxEntries', { maxEntries: 0 }],
  ['maxBytes', { maxBytes: '1tb' }],
  ['readBudget', { readBudget: 0 }],
  ['name', { name: 'with:colon' }],
  ['name', { name: undefined }],
  ['redis', { redis: '' }],
  ['tll', { tll: 1 }],
])('a wrong option %s is named at construction', (option, wrong) => {
  const options = { name: 'test', ttl: 1_000, ...wrong } as CacheOptions // wrong on purpose
  expect(() => createCache(options)).toThrow(expect.objectContaining({ option }))
})

test('a wrong TTL or loader of one call is refused', async () => {
  const { cache } = setUp()
  const refused = { code: 'INVALID_OPTION' }
  await expect(cache.getOrSet('key', () => 1, { ttl: -5 })).rejects.toMatchObject(refused)
  await expect(cache.set('key', 1, { grace: Number.NaN })).rejects.toMatchObject(refused)
  await expect(cache.getOrSet('key', 'value' as never)).rejects.toMatchObject(refused)
})

const cycle: Record<string, unknown> = { name: 'cycle' }
cycle.self = [cycle]
let deep: unknown = 1
for (let level = 0; level < 10_000; level++) deep = [deep]

test.each<[string, unknown, string]>([
  ['a function', { rows: [{ f() {} }] }, '$.rows[0].f'],
  ['a symbol', Symbol('x'), '$'],
  ['a cycle', cycle, '$.self[0]'],
  ['an Error', new Error('x'), '$'],
  ['an object whose methods would be lost', { link: new URL('http://localhost') }, '$.link'],
  ['an object that inherits', { row: Object.create({ inherited: true }) }, '$.row'],
  ['an object that serialises as something else', { toJSON: () => 1 }, '$'],
  ['a promise', { later: Promise.resolve(1) }, '$.later'],
])(
  'a value with %s is refused by set, and handed out but not stored by getOrSet',
  async (_what, value, path) => {
    const { cache, store, reports } = setUp()
    await expect(cache.set('key', value)).rejects.toMatchObject({ code: 'UNSTORABLE_VALUE', path })
    expect(await cache.getOrSet('key', () => ({ value }))).toEqual({ value })
    expect(await store.get(['key'])).toEqual([null])
    expect(reports.all.find(({ outcome }) => outcome === 'unstorable')?.cause).toBeInstanceOf(
      UnstorableValueError,
    )
  },
)

test('a value too deep for JSON is refused, not a crash', async () => {
  await expect(setUp().cache.set('key', deep)).rejects.toMatchObject({ code: 'UNSTORABLE_VALUE' })
})

test('a value that is too large is refused by set, and handed out but not stored by getOrSet', async () => {
  const { store, reports } = setUp()
  const cache = createCache({ name: 'test', ttl: '1m', store, maxValueBytes: '1kb', report: reports.report })
  const large = 'x'.repeat(1_024)
  await expect(cache.set('key', large)).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE', bytes: 1_026 })
  expect(await cache.getOrSet('key', () => large)).toBe(large)
  expect(await store.get(['key'])).toEqual([null])
  expect(await cache.getOrSet('key', () => 'smaller')).toBe('smaller')
  expect(reports.all.find(({ outcome }) => outcome === 'unstorable')?.cause).toBeInstanceOf(
    ValueTooLargeError,
  )
})

test('what another process reads is what was stored', async () => {
  const { cache, another, reports } = setUp()
  const value = {
    at: new Date('2026-11-22T05:49:08.123Z'),
    rows: [{ id: 1n, at: new Date(0), name: '"\u0000\ud83c\udf88\ud800', none: null }, [], {}],
    seats: new Map([['12A', new Set(['window', undefined])]]),
    photo: Buffer.from([0, 255]),
    odd: [Number.NaN, -0, undefined],
    $date: 1,
  }
  await cache.set('key', value)
  expect(await another.get('key')).toStrictEqual(value)
  expect(reports.outcomes('get')).toEqual(['fetched'])
  expect(value.rows[0]).toHaveProperty('at', new Date(0)) // the caller's own was not touched
})

test.each<[string, (record: Buffer) => Buffer]>([
  ['truncated', (record) => record.subarray(0, -3)],
  ['text', () => Buffer.from('hello')],
  ['JSON', () => Buffer.from('{"value":1}')],
  ['empty', () => Buffer.alloc(0)],
  ['of a newer format', (record) => record.fill(3, 1, 2)],
  ['damaged', (record) => record.fill(record.at(-9)! ^ 1, record.length - 9, record.length - 8)],
  ["another key's", () => recordOf({ value: 'wrong' }, 'another key')],
  ["another cache's", () => recordOf({ value: 'wrong', cache: 'another' }, 'key')],
  ['with the epoch of nobody', () => recordOf({ value: 'wrong', epoch: 'x' }, 'key')],
])('a record in the store that is %s is a miss, and is loaded anew', async (_what, poison) => {
  const { cache, another, store } = setUp()
  await cache.getOrSet('key', () => 'old')
  const [record] = await store.get(['key'])
  await placeRecord(store, 'key', poison(Buffer.from(record!)), 60_000)

  expect(await another.get('key')).toBeUndefined()
  expect(await another.getOrSet('key', () => 'new')).toBe('new')
  const third = createCache({ name: 'test', ttl: '1m', store })
  expect(await third.getOrSet('key', () => 'not asked')).toBe('new')
})

test('a record as the one that is forged above, where it belongs, is read', async () => {
  const { cache, store } = setUp()
  await placeRecord(store, 'key', recordOf({ value: 'right' }, 'key'), 60_000)
  expect(await cache.get('key')).toBe('right')
})

test('an unreadable record is reported, with what is wrong with it', async () => {
  const { cache, store, reports } = setUp()
  await placeRecord(store, 'key', recordOf({ value: 1 }, 'key').fill(7, 1, 2), 60_000)
  await cache.get('key')
  expect(reports.all.find(({ outcome }) => outcome === 'unreadable')?.cause).toMatchObject({
    code: 'UNREADABLE_RECORD',
    message: expect.stringContaining('format 7'),
  })
})

/** A record that is right in itself. */
function recordOf(
  { value, cache = 'test', epoch }: { value: unknown; cache?: string; epoch?: string },
  key: string,
): Buffer {
  const [createdAt, freshUntil] = [Date.now(), Date.now() + 60_000]
  const epochs = epoch === undefined ? [] : [['', epoch] as const]
  const stored = { value, createdAt, freshUntil, staleUntil: freshUntil, loadMs: 1, version: 'v', epochs }
  // A promise only where there is much to compress.
  return recordCodec({ name: cache }).encode(stored, key) as Buffer
}

test('the embedded engine refuses production until it is told that one machine is meant', () => {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    expect(() => createCache({ name: 'test', ttl: 1 })).toThrow(
      expect.objectContaining({ code: 'EMBEDDED_ENGINE' }),
    )
    createCache({ name: 'test', ttl: 1, embedded: true })
  } finally {
    process.env.NODE_ENV = before
  }
})
