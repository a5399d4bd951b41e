import { UnreadableRecordError } from '../errors.ts'
import { pack, unpackDates } from './plain-data.ts'

const format = 1

/** A value as it stands in the store. Times are milliseconds since the epoch. */
export interface StoredValue {
  readonly value: unknown
  readonly createdAt: number
  readonly freshUntil: number
  /** Until when it may stand in while its loader fails. */
  readonly staleUntil: number
  /** Each tag with the epoch it had before the value was loaded. */
  readonly epochs: readonly TagSnapshot[]
}

export type TagSnapshot = readonly [tag: string, epoch: string]

/** The record as text. Throws `UnstorableValueError` for a value that would not come back as it is. */
export function encodeRecord({ value, createdAt, freshUntil, staleUntil, epochs }: StoredValue): string {
  const { packed, hasDates } = pack(value)
  return JSON.stringify({
    f: format,
    c: createdAt,
    u: freshUntil,
    s: staleUntil,
    t: epochs,
    ...(hasDates ? { d: 1 } : {}),
    v: packed, // last, so that a truncated record is not JSON any more
  })
}

/** Throws `UnreadableRecordError` for anything that `encodeRecord` of this version did not write. */
export function decodeRecord(text: string): StoredValue {
  const record = parse(text)
  if (typeof record !== 'object' || record === null || !('f' in record)) {
    throw new UnreadableRecordError('it is not a cache record')
  }
  const { f, c, u, s, t, d, v } = record as Record<string, unknown> // an object, and each field is checked
  if (f !== format)
    throw new UnreadableRecordError(`it has format ${String(f)}, this version reads ${format}`)
  if (!Number.isFinite(c) || !Number.isFinite(u) || !Number.isFinite(s) || !isSnapshots(t)) {
    throw new UnreadableRecordError('its fields are damaged')
  }
  return {
    value: d === 1 ? unpackDates(v) : v,
    createdAt: Number(c),
    freshUntil: Number(u),
    staleUntil: Number(s),
    epochs: t,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new UnreadableRecordError('it is not JSON', { cause })
  }
}

function isSnapshots(value: unknown): value is readonly TagSnapshot[] {
  return (
    Array.isArray(value) &&
    value.every(
      (pair) =>
        Array.isArray(pair) &&
        pair.length === 2 &&
        typeof pair[0] === 'string' &&
        typeof pair[1] === 'string',
    )
  )
}
