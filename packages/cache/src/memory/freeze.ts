import { types } from 'node:util'
import { isFieldsOnly } from '../codec/prototypes.ts'

export type Freeze = (value: unknown) => void

/**
 * What makes values read-only, since one that is changed by a caller is changed for all of them. As the option says,
 * else where NODE_ENV is `development` or `test`; undefined where values are left alone, so that nobody pays for it.
 */
export function chooseFreeze(isWanted: boolean | undefined): Freeze | undefined {
  const { NODE_ENV } = process.env
  return (isWanted ?? (NODE_ENV === 'development' || NODE_ENV === 'test')) ? freezeData : undefined
}

/**
 * Freezes the arrays and the objects without methods that a value is made of: in strict code, changing one then
 * throws a TypeError. Dates, maps, sets and bytes have no such state; what maps and sets hold is frozen.
 */
function freezeData(value: unknown): void {
  const seen = new Set<unknown>()
  const waiting = [value] // no recursion: data may be nested deeper than the stack is
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    if (types.isMap(next)) for (const [key, held] of next) waiting.push(key, held)
    else if (types.isSet(next)) for (const held of next) waiting.push(held)
    else if (Array.isArray(next) || isFieldsOnly(Object.getPrototypeOf(next))) {
      Object.freeze(next)
      for (const held of partsOf(next)) waiting.push(held)
    }
  }
}

/** What its fields or elements hold, without running a getter. */
function partsOf(object: object): unknown[] {
  return Object.values(Object.getOwnPropertyDescriptors(object)).map(({ value }) => value)
}
