import { isDeepStrictEqual } from 'node:util'
import { jsonCodec, msgpackrCodec, type RecordOptions, type ValueCodec } from '@stepladder/cache'
import { seededRandom, seeds } from '@stepladder/core/testing'
import * as msgpackr from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { type RecordCodec, recordCodec } from '../src/codec/record.ts'
import type { StoredValue } from '../src/codec/stored-value.ts'

const key = 'departures:SFO'
const unreadable = { code: 'UNREADABLE_RECORD' }

function storedOf(value: unknown, more: Partial<StoredValue> = {}): StoredValue {
  return {
    ...{ value, createdAt: 1_763_790_908_123, freshUntil: 1_763_790_968_123, staleUntil: 1_763_790_968_123 },
    ...{ loadMs: 4.5, version: 'v1', etag: undefined, epochs: [['', 'e1'] as const, ['tag', 'e2'] as const] },
    ...more,
  }
}

const value = { id: 1, at: new Date(5), name: 'Zürich', seats: Array.from({ length: 20 }, (_, seat) => seat) }

const forms: Readonly<Record<string, RecordOptions>> = {
  json: {},
  msgpackr: { codec: msgpackrCodec(msgpackr) },
  gzip: { compress: { above: 1, algorithm: 'gzip' } },
  brotli: { compress: { above: 1, algorithm: 'brotli' } },
  encrypted: { encrypt: { keys: [{ id: 'one', key: Buffer.alloc(32, 1) }] } },
}

describe.each(Object.entries(forms))('a record as %s', (_form, options) => {
  const codec = recordCodec({ name: 'flights', ...options })
  const stored = storedOf(value)

  test('that is cut anywhere, or longer than it was, is refused', async () => {
    const record = await codec.encode(stored, key)
    for (let length = 0; length < record.length; length++) {
      await expect(decode(codec, record.subarray(0, length))).rejects.toMatchObject(unreadable)
    }
    await expect(decode(codec, Buffer.concat([record, Buffer.of(0)]))).rejects.toMatchObject(unreadable)
    await expect(decode(codec, Buffer.concat([record, record]))).rejects.toMatchObject(unreadable)
  })

  test('with any one bit changed is refused', async () => {
    const record = await codec.encode(stored, key)
    for (let bit = 0; bit < record.length * 8; bit++) {
      await expect(decode(codec, flip(record, bit))).rejects.toMatchObject(unreadable)
    }
  })

  test('that stands under another key, or in another cache, is refused', async () => {
    const record = await codec.encode(stored, key)
    await expect(decode(codec, record, 'departures:LAX')).rejects.toMatchObject(unreadable)
    const another = recordCodec({ name: 'arrivals', ...options })
    await expect(decode(another, record)).rejects.toMatchObject(unreadable)
    // The name and the key are two things: what one ends with is not what the other begins with.
    const neighbour = recordCodec({ name: 'flights.x', ...options })
    const moved = await recordCodec({ name: 'flights', ...options }).encode(stored, '.x:1')
    await expect(decode(neighbour, moved, '1')).rejects.toMatchObject(unreadable)
  })

  test.each(seeds(20))('is never a wrong value, whatever is damaged (seed %i)', async (seed) => {
    const random = seededRandom(seed)
    const record = await codec.encode(stored, key)
    for (let round = 0; round < 25; round++) {
      const damaged = damage(record, random)
      if (damaged.equals(record)) continue
      await expect(decode(codec, damaged)).rejects.toMatchObject(unreadable)
    }
  })
})

test('without the checksum, a changed bit is a wrong value: the harness sees one', () => {
  const bytes = Buffer.from(jsonCodec.encode(value))
  let wrong = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    try {
      if (!isDeepStrictEqual(jsonCodec.decode(flip(bytes, bit)), value)) wrong++
    } catch {}
  }
  expect(wrong).toBeGreaterThan(bytes.length)
})

test.each(seeds(20))('what comes back is what was stored, whatever it was (seed %i)', async (seed) => {
  const random = seededRandom(seed)
  for (const options of Object.values(forms)) {
    const codec = recordCodec({ name: 'flights', ...options })
    for (let round = 0; round < 5; round++) {
      const stored = anyStored(random)
      expect({ ...(await codec.decode(await codec.encode(stored, key), key)) }).toStrictEqual(stored)
    }
  }
})

test('a record of a newer format is refused, and the error says which it is', async () => {
  const codec = recordCodec({ name: 'flights' })
  const record = Buffer.from(await codec.encode(storedOf(1), key))
  record[1] = 7
  await expect(decode(codec, record)).rejects.toThrow('format 7')
})

test('what is no record at all is refused', async () => {
  const codec = recordCodec({ name: 'flights' })
  const texts = ['', '{"f":1}', 'null', 'hello', 'x'.repeat(1_000), '\u00ca'.repeat(100)]
  for (const bytes of [
    ...texts.map((text) => Buffer.from(text)),
    Buffer.alloc(100),
    Buffer.alloc(100, 0xca),
  ]) {
    await expect(decode(codec, bytes)).rejects.toMatchObject(unreadable)
  }
})

test('a codec can be changed without a moment in which records are not read', async () => {
  const pack = msgpackrCodec(msgpackr)
  const before = recordCodec({ name: 'flights' })
  const during = recordCodec({ name: 'flights', codec: [jsonCodec, pack] })
  const after = recordCodec({ name: 'flights', codec: [pack] })
  const written = await Promise.all(
    [before, during, after].map((codec) => codec.encode(storedOf(value), key)),
  )
  for (const codec of [during, after]) {
    for (const record of written) expect((await decode(codec, record)).value).toEqual(value)
  }
  await expect(decode(before, written[2]!)).rejects.toThrow('codec "msgpackr"')
})

test('a codec that throws is a refused value, and never another error', async () => {
  const broken: ValueCodec = {
    id: 'broken',
    encode() {
      throw new RangeError('no')
    },
    decode() {
      throw 'no'
    },
  }
  const codec = recordCodec({ name: 'flights', codec: broken })
  expect(() => codec.check(1)).toThrow(expect.objectContaining({ code: 'UNSTORABLE_VALUE', path: '$' }))
  const works = recordCodec({ name: 'flights', codec: { ...broken, encode: () => 'bytes' } })
  await expect(decode(works, await works.encode(storedOf(1), key))).rejects.toMatchObject(unreadable)
})

test('more tags, or a longer etag, than a record has room for is a refusal', () => {
  const codec = recordCodec({ name: 'flights' })
  const refused = expect.objectContaining({ code: 'UNSTORABLE_VALUE' })
  expect(() => codec.encode(storedOf(1, { etag: 'x'.repeat(65_536) }), key)).toThrow(refused)
  const epochs = Array.from({ length: 65_536 }, (_, tag) => [String(tag), ''] as const)
  expect(() => codec.encode(storedOf(1, { epochs }), key)).toThrow(refused)
  codec.encode(storedOf(1, { etag: 'x'.repeat(65_535), epochs: epochs.slice(1) }), key)
})

test('a value of exactly the largest size is stored, and one byte more is refused', async () => {
  const codec = recordCodec({ name: 'flights', maxValueBytes: 12 })
  expect((await decode(codec, await codec.encode(storedOf('x'.repeat(10)), key))).value).toBe('x'.repeat(10))
  const tooLarge = expect.objectContaining({ code: 'VALUE_TOO_LARGE', bytes: 13 })
  expect(() => codec.encode(storedOf('x'.repeat(11)), key)).toThrow(tooLarge)
  expect(() => codec.check('x'.repeat(11))).toThrow(tooLarge)
})

test.each<[string, unknown]>([
  ['codec', { id: 'x y', encode() {}, decode() {} }],
  ['codec', { id: 'x' }],
  ['codec', { ...jsonCodec, id: 7 }],
  ['codec', { ...jsonCodec }],
  ['codec', []],
  ['codec', 'json'],
  ['maxValueBytes', 0],
  ['maxValueBytes', '1gb'],
  ['codecs', []],
])('a wrong option %s is named at construction', (option, given) => {
  const options = { [option]: given } as RecordOptions // wrong on purpose
  expect(() => recordCodec({ name: 'flights', ...options })).toThrow(expect.objectContaining({ option }))
})

async function decode(codec: RecordCodec, record: Buffer, under = key): Promise<StoredValue> {
  return codec.decode(record, under)
}

function flip(bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes)
  flipped[bit >> 3]! ^= 1 << (bit & 7)
  return flipped
}

/** Some bytes overwritten, moved or cut out. */
function damage(record: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * record.length)
  const length = 1 + Math.floor(random() * 8)
  const noise = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
  const rest = record.subarray(at + Math.floor(random() * 2) * length)
  return Buffer.concat([record.subarray(0, at), noise, rest])
}

function anyStored(random: () => number): StoredValue {
  const below = (limit: number) => Math.floor(random() * limit)
  const text = () =>
    String.fromCodePoint(...Array.from({ length: below(12) }, () => below(0x1_0000) & 0xd7ff))
  const leaves = [
    ...[
      () => text(),
      () => below(1_000),
      () => random() * 10 ** below(300),
      () => null,
      () => random() < 0.5,
    ],
    ...[() => new Date(below(2 ** 42)), () => BigInt(below(2 ** 50)) ** 3n, () => undefined, () => -0],
    ...[
      () => new Uint8Array([below(256)]),
      () => Buffer.from(text()),
      () => Number.NaN,
      () => `\x7f${text()}`,
    ],
  ]
  const some = (depth: number): unknown[] => Array.from({ length: below(5) }, () => any(depth - 1))
  const any = (depth: number): unknown => {
    const kind = depth === 0 ? 9 : below(10)
    if (kind < 2) return some(depth)
    // A field that is undefined is left out, so that none is made.
    if (kind < 5) return Object.fromEntries(some(depth).map((one) => [`f${text()}`, one ?? null]))
    if (kind === 5) return new Map(some(depth).map((one) => [any(depth - 1), one]))
    if (kind === 6) return new Set(some(depth))
    return leaves[below(leaves.length)]!()
  }
  const createdAt = below(2 ** 42)
  const freshUntil = createdAt + below(2 ** 38)
  return storedOf(any(4), {
    ...{ createdAt, freshUntil, staleUntil: freshUntil + below(2 ** 38), loadMs: below(2 ** 32) / 1_000 },
    ...{ version: text(), etag: random() < 0.5 ? text() : undefined },
    epochs: Array.from({ length: below(4) }, () => [text(), text()] as const),
  })
}
