import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  type CacheOptions,
  createCache,
  type EncryptionKey,
  type EncryptOptions,
  msgpackrCodec,
  type RecordOptions,
} from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { keyPrefix, RecordedReports, sharedRedis } from '@stepladder/core/testing'
import * as msgpackr from 'msgpackr'
import { expect, test } from 'vitest'
import { type RecordCodec, recordCodec } from '../src/codec/record.ts'

const key = 'user:7'
const value = { name: 'a name that nobody is to read', at: new Date(5) }
const refused = { code: 'UNREADABLE_RECORD' }
const one: EncryptionKey = { id: 'one', key: Buffer.alloc(32, 1) }
const two: EncryptionKey = { id: 'two', key: Buffer.alloc(32, 2).toString('base64') }

test('nothing of the value can be read in its record, and no two records are alike', async () => {
  const codec = codecWith({ keys: [one] })
  const [first, second] = [await encode(codec), await encode(codec)]
  expect(first.includes('nobody')).toBe(false)
  expect((await encode(codecWith(undefined))).includes('nobody')).toBe(true)
  expect(first.equals(second)).toBe(false)
  for (const record of [first, second]) expect((await decode(codec, record)).value).toEqual(value)
})

test('a key is replaced without a moment in which records are not read', async () => {
  const steps = [[one], [one, two], [two, one], [two]].map((keys) => codecWith({ keys }))
  for (const [step, writer] of steps.entries()) {
    const record = await encode(writer)
    // While a step is rolled out, those before it and those after it run at the same time.
    const readers = steps.slice(Math.max(0, step - 1), step + 2)
    for (const reader of readers) expect((await decode(reader, record)).value).toEqual(value)
  }
  await expect(decode(steps[3]!, await encode(steps[0]!))).rejects.toThrow('key "one"')
})

test('a record that was written with another key, or for another place, is refused', async () => {
  const codec = codecWith({ keys: [one] })
  const record = await encode(codec)
  const impostor = codecWith({ keys: [{ id: 'one', key: Buffer.alloc(32, 9) }] })
  await expect(decode(codec, await encode(impostor))).rejects.toMatchObject(refused)
  await expect(decode(codec, record, 'user:8')).rejects.toMatchObject(refused)
  const another = recordCodec({ name: 'admins', encrypt: { keys: [one] } })
  await expect(decode(another, record)).rejects.toMatchObject(refused)
  await expect(decode(codecWith(undefined), record)).rejects.toThrow('no keys')
})

test('times, tags and all else in the header cannot be changed by who can write to the store', async () => {
  // What an attacker does: longer times (bytes 11 to 20), with a checksum that is right where there is one.
  const prolong = (record: Buffer) => {
    const forged = Buffer.from(record)
    forged.fill(0x7f, 11, 21)
    return forged
  }
  const plain = codecWith(undefined)
  const forged = await decode(plain, sealedAnew(prolong(await encode(plain))))
  expect(forged.freshUntil, 'without encryption, the attack works').toBeGreaterThan(10 ** 11)

  const codec = codecWith({ keys: [one] })
  const record = await encode(codec)
  await expect(decode(codec, prolong(record))).rejects.toMatchObject(refused)
  await expect(decode(codec, sealedAnew(prolong(record)))).rejects.toMatchObject(refused)
  for (let at = 0; at < record.length; at++) {
    const changed = Buffer.from(record)
    changed[at]! ^= 0x10
    await expect(decode(codec, changed)).rejects.toMatchObject(refused)
  }
})

test('a record that is not encrypted is nobody let in, unless the cache is on its way to encryption', async () => {
  const plain = await encode(codecWith(undefined))
  await expect(decode(codecWith({ keys: [one] }), plain)).rejects.toThrow('not encrypted')
  const onItsWay = codecWith({ keys: [one], acceptPlain: true })
  expect((await decode(onItsWay, plain)).value).toEqual(value)
  expect((await decode(onItsWay, await encode(onItsWay))).value).toEqual(value)
  // Nor is one whose flag was taken away.
  const stripped = Buffer.from(await encode(onItsWay))
  stripped[2]! &= ~4
  await expect(decode(onItsWay, stripped)).rejects.toMatchObject(refused)
})

test('a shortened tag is refused: four bytes of it would be guessed', async () => {
  const codec = codecWith({ keys: [one] })
  const record = await encode(codec)
  for (let cut = 1; cut <= 30; cut++) {
    await expect(decode(codec, record.subarray(0, record.length - cut))).rejects.toMatchObject(refused)
  }
})

test('compressed and encrypted go together, also where both are left to a thread', async () => {
  const codec = codecWith({ keys: [one] }, { compress: { above: 1, algorithm: 'gzip' } })
  for (const count of [100, 20_000]) {
    const rows = Array.from({ length: count }, (_, id) => ({ id }))
    const record = await codec.encode(storedOf(rows), key)
    expect(record.length).toBeLessThan(JSON.stringify(rows).length / 2)
    expect((await decode(codec, record)).value).toEqual(rows)
    record[record.length - 20]! ^= 1
    await expect(decode(codec, record)).rejects.toMatchObject(refused)
  }
})

const secret = randomBytes(31)

test.each<[string, unknown]>([
  ['encrypt', ''],
  ['encrypt', null],
  ['encrypt.keys', { keys: [] }],
  ['encrypt.keys', {}],
  ['encrypt.keys[0].key', { keys: [{ id: 'a', key: secret }] }],
  ['encrypt.keys[0].key', { keys: [{ id: 'a', key: secret.toString('base64') }] }],
  ['encrypt.keys[0].key', { keys: [{ id: 'a', key: `${secret.toString('hex')}00` }] }],
  ['encrypt.keys[0].key', { keys: [{ id: 'a' }] }],
  ['encrypt.keys[1].key', { keys: [one, { id: 'b', key: 'a passphrase that somebody made up' }] }],
  ['encrypt.keys[0].id', { keys: [{ id: 'a b', key: one.key }] }],
  ['encrypt.keys[1].id', { keys: [one, one] }],
  ['encrypt.keys[0].id', { keys: [{ key: one.key }] }],
  ['encrypt.keys[0].id', { keys: [{ id: 7, key: one.key }] }],
  ['encrypt.keys[0].id', { keys: [null] }],
  ['encrypt.acceptPlain', { keys: [one], acceptPlain: 'false' }],
  ['key', { key: one.key }],
])('a wrong option %s is named at construction, and no key is told', (option, encrypt) => {
  const construct = () => codecWith(encrypt as EncryptOptions) // wrong on purpose
  expect(construct).toThrow(expect.objectContaining({ option }))
  for (const told of [secret.toString('base64'), secret.toString('hex'), 'passphrase']) {
    expect(construct).not.toThrow(told)
  }
})

test('a cache that encrypts loads anew what it cannot open, and says so', async () => {
  const store = new MemoryStore()
  const reports = new RecordedReports()
  const make = (encrypt: EncryptOptions | undefined) =>
    createCache({ name: 'users', ttl: '1m', store, encrypt, report: reports.report })
  const [plain, safe] = [make(undefined), make({ keys: [one] })]
  await plain.set(key, 'poison')
  expect(await safe.get(key)).toBeUndefined()
  expect(reports.all.find(({ outcome }) => outcome === 'unreadable')?.cause).toMatchObject(refused)
  expect(await safe.getOrSet(key, () => 'loaded')).toBe('loaded')
  expect((await store.get([key]))[0]!.includes('loaded')).toBe(false)
  expect(await make({ keys: [two, one] }).get(key)).toBe('loaded')
})

test('all of it together, through a real Redis: one process writes, another reads', async () => {
  const { url: redis } = await sharedRedis()
  const options: CacheOptions = {
    ...{ name: keyPrefix('codec'), ttl: '1m', redis, codec: msgpackrCodec(msgpackr) },
    ...{ compress: { above: '1kb' }, encrypt: { keys: [one] }, readBudget: '5s' },
  }
  const [writer, reader] = [createCache(options), createCache(options)]
  const rows = (count: number) =>
    Array.from({ length: count }, (_, id) => ({ id, at: new Date(id), photo: Buffer.of(id) }))
  for (const count of [1, 200, 10_000]) {
    expect(await writer.set(`rows:${count}`, rows(count), { tags: ['rows'] })).toBe('done')
    expect(await reader.get(`rows:${count}`)).toStrictEqual(rows(count))
  }
  await Promise.all([writer.close(), reader.close()])
})

function codecWith(encrypt: EncryptOptions | undefined, options: RecordOptions = {}): RecordCodec {
  return recordCodec({ name: 'users', encrypt, ...options })
}

function storedOf(value: unknown) {
  const epochs = [['', 'e1'] as const, ['tag', 'e2'] as const]
  return { value, createdAt: 5, freshUntil: 60_005, staleUntil: 60_005, loadMs: 1, version: 'v', epochs }
}

async function encode(codec: RecordCodec): Promise<Buffer> {
  return codec.encode(storedOf(value), key)
}

async function decode(codec: RecordCodec, record: Buffer, under = key) {
  return codec.decode(record, under)
}

/** With a checksum that is right, as an attacker would write it. */
function sealedAnew(record: Buffer): Buffer {
  const end = record.length - 4
  record.writeUInt32LE(crc32(record.subarray(0, end), crc32(`users:${key}`)), end)
  return record
}
