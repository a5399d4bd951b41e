import { deepStrictEqual } from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import { jsonCodec, msgpackrCodec, type ValueCodec } from '@stepladder/cache'
import { testValueCodec } from '@stepladder/cache/testing'
import * as msgpackr from 'msgpackr'
import { describe, expect, test } from 'vitest'

const ours = { jsonCodec, msgpackrCodec: msgpackrCodec(msgpackr) }

for (const [name, codec] of Object.entries(ours)) testValueCodec(name, codec, { test })

class Row {
  readonly id = 1
}

class Money {
  readonly cents = 5
  get euros(): number {
    return this.cents / 100
  }
}

/** As the table in docs/reference/cache-records.md says. */
const carried: Readonly<Record<string, unknown>> = {
  'plain data': { rows: [{ id: 1, name: 'Ada', none: null }], ok: true },
  undefined: undefined,
  'undefined in a list': [undefined],
  dates: { at: new Date(1_763_790_908_123), never: new Date(Number.NaN) },
  'BigInt of any size': [0n, -1n, 2n ** 1_000n],
  'maps and sets': new Map<unknown, unknown>([[{ id: 1 }, new Set([new Map([[1n, undefined]])])]]),
  bytes: { bytes: new Uint8Array([0, 255]), buffer: Buffer.from('buffer') },
  'numbers that JSON lacks': [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
  'texts that look like marks': ['\x7f', '\x7fd5', ['\x7fm', 1, 2], ['\x7fe'], { at: new Date(1) }],
  'half a character': ['\ud800', { '\udc00': new Date(1) }],
  'a field named __proto__': JSON.parse('{"__proto__":{"x":1}}'),
  'a field named __proto__ beside a date': { ...JSON.parse('{"__proto__":{"x":[1]}}'), at: new Date(1) },
}

const cycle: Record<string, unknown> = {}
cycle.self = [cycle]

const refused: readonly (readonly [what: string, value: unknown, path: string])[] = [
  ['a function', { rows: [{ f() {} }] }, '$.rows[0].f'],
  ['a symbol', [Symbol('x')], '$[0]'],
  ['a cycle', cycle, '$.self[0]'],
  ['an instance of a class with a getter or method', { price: new Money() }, '$.price'],
  ['an object that inherits a field', Object.create({ inherited: true }), '$'],
  ['an object with toJSON', { at: { toJSON: () => 1 } }, '$.at'],
  ['an object with a hidden toJSON', Object.defineProperty({}, 'toJSON', { value: () => 1 }), '$'],
  ['a list with toJSON', [Object.assign([1], { toJSON: () => 1 })], '$[0]'],
  ['a list with holes', { seats: Object.assign([1], { 2: 3 }) }, '$.seats[1]'],
  ['a list with more holes than memory', { list: Object.assign([], { 4000000000: 1 }) }, '$.list[0]'],
  ['an Error', [new Error('x')], '$[0]'],
  ['a promise', { later: Promise.resolve(1) }, '$.later'],
  ['a regular expression', { like: /x/ }, '$.like'],
  ['other typed arrays', { vector: new Float32Array(2) }, '$.vector'],
  ['a map of a class of its own', new (class extends Map {})(), '$'],
  ['a list of a class of its own', [new (class extends Array {})()], '$[0]'],
  ['a boxed number', [Object(1)], '$[0]'],
  ['something in a map', { map: new Map([[1, () => 1]]) }, '$.map.<value>'],
  ['something in a set', { set: new Set([() => 1]) }, '$.set.<member>'],
]

describe.each(Object.entries(ours))('%s', (_name, codec) => {
  const travel = (value: unknown, by: ValueCodec = codec) => by.decode(Buffer.from(by.encode(value)))

  test.each(Object.entries(carried))('carries %s', (_what, value) => {
    deepStrictEqual(travel(value), value)
    deepStrictEqual(travel({ deep: [[value]] }), { deep: [[value]] })
  })

  test.each(refused)('refuses %s, with its path', (_what, value, path) => {
    const refusal = expect.objectContaining({ code: 'UNSTORABLE_VALUE', path })
    expect(() => codec.encode(value)).toThrow(refusal)
    // Beside a date as well, for which the value is walked in another way.
    const within = expect.objectContaining({ path: path.replace('$', '$.value') })
    expect(() => codec.encode({ at: new Date(), value })).toThrow(within)
  })

  test('an object with fields only comes back as one, whatever its class, and without those that are undefined', () => {
    expect(
      travel({ row: new Row(), none: undefined, bare: Object.assign(Object.create(null), { x: 1 }) }),
    ).toEqual({
      row: { id: 1 },
      bare: { x: 1 },
    })
  })

  test('objects of another realm are carried and refused like our own', () => {
    const foreign = runInNewContext('({ at: new Date(5), list: [1], map: new Map([[1, new Set([{}])]]) })')
    deepStrictEqual(travel(foreign), { at: new Date(5), list: [1], map: new Map([[1, new Set([{}])]]) })
    deepStrictEqual(travel(runInNewContext('[{ list: [{ a: 1 }] }]')), [{ list: [{ a: 1 }] }])
    expect(() => codec.encode(runInNewContext('[new (class { get x() { return 1 } })()]'))).toThrow('$[0]')
  })

  test('a value that is not plain costs the others nothing', () => {
    codec.encode({ at: new Date(), f: undefined, list: [1] })
    expect(() => codec.encode(() => 1)).toThrow()
    deepStrictEqual(travel({ at: 1 }), { at: 1 })
  })
})

test('a plain value is JSON in the record, which any program can read', () => {
  expect(jsonCodec.encode({ id: 1, name: '\x7f' })).toBe('{"id":1,"name":"\x7f"}')
})

test.each<[string, Omit<ValueCodec, 'id'>]>([
  [
    'JSON alone',
    { encode: (value) => JSON.stringify(value), decode: (bytes) => JSON.parse(bytes.toString()) },
  ],
  ['msgpackr alone', { encode: (value) => msgpackr.pack(value), decode: (bytes) => msgpackr.unpack(bytes) }],
])('the contract of codecs is failed by %s', (_name, codec) => {
  expect(failures({ id: 'alone', ...codec })).toContainEqual(expect.stringMatching(/minus zero/))
})

test('the contract of codecs is failed by one that hands out what it does not own', () => {
  const buffer = Buffer.alloc(100_000)
  const reuses = failures({
    id: 'reuses',
    encode: (value) => buffer.subarray(0, buffer.write(JSON.stringify(value))),
    decode: (bytes) => JSON.parse(bytes.toString()),
  })
  expect(reuses).toContainEqual(expect.stringMatching(/stays as it is/))
  const views = failures({
    id: 'views',
    encode: (value) => bytesIn(value),
    decode: (bytes) => [bytes, bytes.subarray(0, 0)],
  })
  expect(views).toContainEqual(expect.stringMatching(/does not change with the bytes/))
})

/** Carries one value of the contract, and nothing else. */
function bytesIn(value: unknown): Buffer {
  if (Array.isArray(value) && value.length === 2 && Buffer.isBuffer(value[0])) return Buffer.from(value[0])
  throw new TypeError('not carried')
}

/** The promises of the contract that the codec breaks. */
function failures(codec: ValueCodec): string[] {
  const failed: string[] = []
  testValueCodec(codec.id, codec, {
    test: (title, run) => {
      try {
        run()
      } catch {
        failed.push(title)
      }
    },
  })
  return failed
}
