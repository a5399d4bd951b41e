import { InvalidOptionError } from './errors.ts'

/** Bytes, or a number with its unit (powers of 1024): `'64kb'`, `'64mb'`, `'2gb'`. */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`

const unitsBytes: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** The size in bytes, above zero. Throws `InvalidOptionError` in the name of `owner` for anything else. */
export function parseSize(owner: string, option: string, value: Size): number {
  const bytes = typeof value === 'number' ? value : readWithUnit(value)
  if (!(bytes > 0)) {
    throw new InvalidOptionError(owner, option, value, "a size such as 1048576 (bytes) or '64mb'")
  }
  return bytes
}

function readWithUnit(text: unknown): number {
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?)(b|kb|mb|gb)$/.exec(text) : null
  return match ? Math.floor(Number(match[1]) * unitsBytes[match[2]!]!) : Number.NaN
}
