import { randomBytes } from 'node:crypto'
import { constants, crc32, gzipSync } from 'node:zlib'
import { createCache, type RecordOptions } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { describe, expect, test } from 'vitest'
import { type RecordCodec, recordCodec } from '../src/codec/record.ts'

const key = 'key'
const hasZstd = 'ZSTD_c_compressionLevel' in constants
const algorithms = (['zstd', 'gzip', 'brotli'] as const).filter((one) => one !== 'zstd' || hasZstd)

const small = Array.from({ length: 200 }, (_, id) => ({ id, gate: 'B12' }))
const large = Array.from({ length: 20_000 }, (_, id) => ({ id, gate: 'B12' }))

describe.each(algorithms)('%s', (algorithm) => {
  const codec = codecWith({ compress: { above: '1kb', algorithm } })

  test('a large value takes less, and is read by every cache, whatever it compresses with itself', async () => {
    for (const value of [small, large]) {
      const record = await encode(codec, value)
      expect(record.length).toBeLessThan((await encode(codecWith({}), value)).length / 3)
      for (const reader of [codec, codecWith({}), codecWith({ compress: { algorithm: 'gzip' } })]) {
        expect((await reader.decode(record, key)).value).toEqual(value)
      }
    }
  })

  test('the event loop is not held by a large value, in either direction', async () => {
    const encoding = codec.encode(storedOf(large), key)
    expect(encoding).toBeInstanceOf(Promise)
    expect(codec.decode(await encoding, key)).toBeInstanceOf(Promise)
    // One that is small waits for nobody.
    const record = codec.encode(storedOf(small), key)
    expect(record).toBeInstanceOf(Buffer)
    expect(codec.decode(record as Buffer, key)).not.toBeInstanceOf(Promise)
  })

  test('a value that grows beyond the largest size is refused', async () => {
    const bomb = await encode(
      codecWith({ maxValueBytes: '16mb', compress: { algorithm } }),
      'x'.repeat(8_000_000),
    )
    expect(bomb.length).toBeLessThan(20_000)
    await expect(decode(codecWith({ maxValueBytes: '1mb' }), bomb)).rejects.toMatchObject({
      code: 'UNREADABLE_RECORD',
    })
  })

  test('a value that grows beyond what its header says is refused as soon as it does', async () => {
    for (const [says, value] of [
      [1_000, small],
      [100_000, large],
      [0, small],
    ] as const) {
      const record = await encode(codec, value)
      record.writeUInt32LE(says, 25)
      await expect(decode(codec, sealedAnew(record))).rejects.toMatchObject({ code: 'UNREADABLE_RECORD' })
    }
    // The harness can forge: the same record, sealed the same way, with the truth in its header.
    expect((await decode(codec, sealedAnew(await encode(codec, small)))).value).toEqual(small)
  })
})

test('a value up to the size is left as it is', async () => {
  const compress = { above: 100, algorithm: 'gzip' } as const
  const record = await encode(codecWith({ compress }), 'x'.repeat(98))
  expect(record).toEqual(await encode(codecWith({}), 'x'.repeat(98)))
  expect((await encode(codecWith({ compress }), 'x'.repeat(99))).length).toBeLessThan(record.length)
})

test('what compression makes no smaller is stored as it is', async () => {
  for (const bytes of [6_000, 60_000]) {
    const value = randomBytes(bytes).toString('latin1')
    const codec = codecWith({ compress: { above: 1, algorithm: 'gzip' }, codec: latin1Codec })
    expect(gzipSync(Buffer.from(value, 'latin1')).length).toBeGreaterThan(bytes)
    const record = await encode(codec, value)
    expect(record).toEqual(await encode(codecWith({ codec: latin1Codec }), value))
    expect((await decode(codec, record)).value).toBe(value)
  }
})

test('damage to a large value is a refusal as well, when it is found later', async () => {
  const codec = codecWith({ compress: { algorithm: 'gzip' } })
  const record = await encode(codec, large)
  record[record.length - 100]! ^= 1
  const rejected = { code: 'UNREADABLE_RECORD' }
  await expect(decode(codec, record)).rejects.toMatchObject(rejected)
  await expect(decode(codec, sealedAnew(record))).rejects.toMatchObject(rejected)
})

test('without a word about it, zstd is used where Node.js has it, from 4 kB on', async () => {
  const codec = codecWith({ compress: {} })
  expect((await encode(codec, 'x'.repeat(4_094)))[2]! & 3).toBe(0)
  expect((await encode(codec, 'x'.repeat(4_095)))[2]! & 3).toBe(hasZstd ? 1 : 2)
})

test.each<[string, unknown]>([
  ['compress', 4_096],
  ['compress.algorithm', { algorithm: 'lz4' }],
  ['compress.algorithm', { algorithm: 'toString' }],
  ['compress.above', { above: -1 }],
  ['level', { level: 3 }],
])('a wrong option %s is named at construction', (option, compress) => {
  const options = { compress } as RecordOptions // wrong on purpose
  expect(() => codecWith(options)).toThrow(expect.objectContaining({ option }))
})

test('caches that compress and caches that do not share their values', async () => {
  const store = new MemoryStore()
  const options = { name: 'shared', ttl: '1m', store } as const
  const [packed, plain] = [createCache({ ...options, compress: { above: '1kb' } }), createCache(options)]
  for (const value of [small, large]) {
    await packed.set(key, value)
    const [record] = await store.get([key])
    expect(record!.length).toBeLessThan(JSON.stringify(value).length / 3)
    expect(await plain.get(key)).toEqual(value)
    await plain.delete(key)
  }
  await Promise.all([packed.close(), plain.close()])
})

const latin1Codec = {
  id: 'latin1',
  encode: (value: unknown) => Buffer.from(String(value), 'latin1'),
  decode: (bytes: Buffer) => bytes.toString('latin1'),
}

function codecWith(options: RecordOptions): RecordCodec {
  return recordCodec({ name: 'flights', ...options })
}

function storedOf(value: unknown) {
  return { value, createdAt: 5, freshUntil: 6, staleUntil: 7, loadMs: 1, version: 'v', epochs: [] }
}

async function encode(codec: RecordCodec, value: unknown): Promise<Buffer> {
  return codec.encode(storedOf(value), key)
}

async function decode(codec: RecordCodec, record: Buffer) {
  return codec.decode(record, key)
}

/** With a checksum that is right, as an attacker would write it. */
function sealedAnew(record: Buffer): Buffer {
  const end = record.length - 4
  record.writeUInt32LE(crc32(record.subarray(0, end), crc32(`flights:${key}`)), end)
  return record
}
