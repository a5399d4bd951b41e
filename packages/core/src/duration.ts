import { InvalidOptionError } from './errors.ts'

/** Milliseconds, or a number with its unit: `'250ms'`, `'30s'`, `'10m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const unitsMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * The duration in milliseconds, never negative; `Infinity` passes.
 * Throws `InvalidOptionError` in the name of `owner` for anything else.
 */
export function parseDuration(owner: string, option: string, value: Duration): number {
  const ms = typeof value === 'number' ? value : readWithUnit(value)
  if (!(ms >= 0)) {
    throw new InvalidOptionError(owner, option, value, "a duration such as 1000 (milliseconds) or '10m'")
  }
  return ms
}

function readWithUnit(text: unknown): number {
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) : null
  return match ? Number(match[1]) * unitsMs[match[2]!]! : Number.NaN
}
