import { msgpackrCodec, type RecordOptions } from '@stepladder/cache'
import * as msgpackr from 'msgpackr'
import type { StoredValue } from '../../src/codec/stored-value.ts'

/** A record of which the bytes stand in `<name>.hex`: written once, by the version that introduced its form. */
interface GoldenCase {
  readonly name: string
  readonly stored: StoredValue
  /** How a cache must be made to write such a record, and to read it. */
  readonly options: RecordOptions
  /** The bytes follow from the value, so that this version must still write them. */
  readonly isExact: boolean
}

export const goldenKey = 'departures:SFO'

const usual: StoredValue = {
  value: { id: 7, name: 'Zürich 🎈', seats: [1, 2.5, null, true] },
  createdAt: 1_763_790_908_123,
  freshUntil: 1_763_790_968_100,
  staleUntil: 1_763_794_568_100,
  loadMs: 12.345,
  version: '4f1f6ce0:17',
  etag: undefined,
  epochs: [
    ['', '8c7f1b0a5d2e4f60'],
    ['flüge', 'a1'],
  ],
}
const marked: StoredValue = {
  ...usual,
  value: {
    at: new Date(1_763_790_908_123),
    numbers: [
      1n,
      -(2n ** 70n),
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      -0,
      undefined,
    ],
    map: new Map<unknown, unknown>([['set', new Set([1, new Date(0)])]]),
    bytes: [new Uint8Array([0, 1, 255]), Buffer.from('buffer')],
    text: '\x7fd is not a date',
  },
}
const long: StoredValue = { ...usual, value: Array.from({ length: 60 }, (_, id) => ({ id, gate: 'B12' })) }
const encrypt = { keys: [{ id: 'k1', key: Buffer.alloc(32, 'golden') }] }

export const goldenCases: readonly GoldenCase[] = [
  { name: 'json', stored: usual, options: {}, isExact: true },
  { name: 'json-marked', stored: marked, options: {}, isExact: true },
  { name: 'json-etag', stored: { ...usual, etag: '"33a64df5"', epochs: [] }, options: {}, isExact: true },
  { name: 'json-extremes', stored: extremes(), options: {}, isExact: true },
  { name: 'msgpackr', stored: marked, options: { codec: msgpackrCodec(msgpackr) }, isExact: false },
  { name: 'zstd', stored: long, options: { compress: { above: 1, algorithm: 'zstd' } }, isExact: false },
  { name: 'gzip', stored: long, options: { compress: { above: 1, algorithm: 'gzip' } }, isExact: false },
  { name: 'brotli', stored: long, options: { compress: { above: 1, algorithm: 'brotli' } }, isExact: false },
  { name: 'encrypted', stored: usual, options: { encrypt }, isExact: false },
  {
    name: 'encrypted-gzip',
    stored: long,
    options: { encrypt, compress: { above: 1, algorithm: 'gzip' } },
    isExact: false,
  },
]

function extremes(): StoredValue {
  return {
    ...{ value: undefined, createdAt: 0, freshUntil: 0, staleUntil: 10 * 365 * 86_400_000 },
    ...{ loadMs: 4_294_967.295, version: '', etag: '', epochs: [['x'.repeat(1_024), 'é'.repeat(300)]] },
  }
}
