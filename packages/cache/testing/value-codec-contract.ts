import { deepStrictEqual, doesNotThrow, equal, match } from 'node:assert/strict'
import type { ValueCodec } from '../src/codec/value-codec.ts'

export interface ValueCodecTools {
  /** The `test` of the runner in use: vitest, Jest and node:test all fit. */
  readonly test: (title: string, run: () => void) => unknown
}

/** What every `ValueCodec` must keep, as one test each. */
export function testValueCodec(name: string, codec: ValueCodec, { test }: ValueCodecTools): void {
  test(`${name}: its id fits into a record`, () => match(codec.id, /^[\w.-]{1,32}$/))

  for (const [what, value] of Object.entries(plain)) {
    test(`${name}: ${what} comes back as it was`, () => deepStrictEqual(travel(codec, value), value))
  }

  for (const [what, make] of Object.entries(delicate)) {
    test(`${name}: ${what} comes back as it was, or is refused`, () => {
      const bytes = tryTo(() => codec.encode(make()))
      if (bytes !== undefined) deepStrictEqual(codec.decode(Buffer.from(bytes)), make())
    })
  }

  test(`${name}: the value that was given is left as it is`, () => {
    for (const make of Object.values(delicate)) {
      const value = make()
      tryTo(() => codec.encode(value))
      deepStrictEqual(value, make())
    }
  })

  test(`${name}: what was encoded stays as it is when more is`, () => {
    const first = codec.encode(plain['nested data'])
    const before = Buffer.from(first)
    for (let count = 0; count < 100; count++) codec.encode({ count, text: 'x'.repeat(count) })
    deepStrictEqual(Buffer.from(first), before)
  })

  test(`${name}: what was decoded does not change with the bytes it came from`, () => {
    for (const make of Object.values(delicate)) {
      const encoded = tryTo(() => codec.encode(make()))
      if (encoded === undefined) continue
      const bytes = Buffer.from(encoded)
      const value = codec.decode(bytes)
      bytes.fill(0)
      deepStrictEqual(value, make())
    }
  })

  test(`${name}: bytes in the middle of others are read as they are`, () => {
    const bytes = Buffer.from(codec.encode(plain['nested data']))
    const amid = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
    deepStrictEqual(codec.decode(amid.subarray(6, 6 + bytes.length)), plain['nested data'])
  })

  test(`${name}: a cycle, and what is too deep, is an error and not the end`, () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = [deep]
    for (const value of [cycle, deep]) doesNotThrow(() => tryTo(() => codec.encode(value)))
    equal(travel(codec, 7), 7)
  })
}

function travel(codec: ValueCodec, value: unknown): unknown {
  return codec.decode(Buffer.from(codec.encode(value)))
}

/** Undefined if it is refused. */
function tryTo<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}

const plain: Readonly<Record<string, unknown>> = {
  null: null,
  'a boolean': false,
  'an integer': -7,
  'a fraction': 0.1 + 0.2,
  'the largest number': Number.MAX_VALUE,
  'an integer that 32 bits do not hold': Number.MAX_SAFE_INTEGER,
  'an empty text': '',
  'a text of many alphabets': 'aé€🎈"\\\u0000\u007f\u2028',
  'an empty list': [],
  'an empty object': {},
  'nested data': { rows: [{ id: 1, name: 'Ada', tags: ['x', 'y'], none: null }, { id: 2 }], total: 2 },
  'unusual field names': { '': 1, 'a b': 2, ключ: 3, constructor: 4, toString: 5, length: 6, 0: 7 },
  'a long list of like objects': Array.from({ length: 300 }, (_, id) => ({ id, name: `n${id}` })),
}

/** Made anew for each use, so that nothing that a codec does to one is seen in the next. */
const delicate: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  'a list with undefined': () => [undefined, 1],
  'a list with holes': () => Object.assign([], { 1: 'one' }),
  'a date': () => ({ at: new Date(1_763_790_908_123), before: new Date(-1) }),
  'an invalid date': () => [new Date(Number.NaN)],
  'minus zero': () => [-0],
  'numbers that are none': () => [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  'a BigInt': () => ({ small: 1n, large: 2n ** 100n, negative: -(2n ** 64n) }),
  'a map': () =>
    new Map<unknown, unknown>([
      ['key', new Map()],
      [{ a: 1 }, [1]],
      [undefined, -0],
    ]),
  'a set': () => ({ set: new Set<unknown>([1, 'one', new Set([new Date(0)])]) }),
  bytes: () => ({ bytes: new Uint8Array([0, 127, 255]), none: new Uint8Array() }),
  'a Buffer': () => [Buffer.from('bytes'), Buffer.alloc(0)],
  'a part of larger bytes': () => new Uint8Array(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2),
  'numbers as bytes': () => new Float32Array([0.5, 2]),
  'half a character': () => ['\ud800', { '\udc00': 1 }],
  'a field named __proto__': () => JSON.parse('{"__proto__":{"x":1},"y":2}'),
  'a field named __proto__ with a date': () => ({ ...JSON.parse('{"__proto__":[1]}'), at: new Date(1) }),
  'a field named toJSON': () => ({ toJSON: 1 }),
  'an object with toJSON': () => new WithToJson(),
  'an instance with methods': () => ({ amount: new Amount(5) }),
  'an Error': () => new RangeError('x'),
  'a regular expression': () => [/x/g],
  'a URL': () => new URL('http://localhost/x'),
  'a list with fields': () => Object.assign(new Amounts(), { 0: 1, length: 1 }),
  'a map of its own class': () => new Registry([[1, 2]]),
  'a boxed text': () => [Object('boxed')],
}

class WithToJson {
  toJSON(): number {
    return 1
  }
}

class Amount {
  readonly cents: number
  constructor(cents: number) {
    this.cents = cents
  }
  get euros(): number {
    return this.cents / 100
  }
}

class Amounts extends Array<number> {}
class Registry extends Map<number, number> {}
