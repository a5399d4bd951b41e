import type { Fields } from '../record/session-record.ts'
import { isObject } from '../record.ts'

/** Adds to the number at `path`, whose names are parted by dots, and returns the sum. What is missing is made. */
export function addAt(fields: Fields, path: string, by: number): number {
  const names = path.split('.')
  const last = names.pop()!
  if (last === '' || names.includes('') || [...names, last].includes('__proto__')) {
    throw new TypeError(`session.increment takes a path such as 'cart.count', not ${JSON.stringify(path)}`)
  }
  let place = fields
  for (const name of names) {
    const next = Object.hasOwn(place, name) ? place[name] : undefined
    if (next !== undefined && !isObject(next)) throw noNumber(path, 'it leads through what is no object')
    place = next ?? makeAt(place, name)
  }
  const found = Object.hasOwn(place, last) ? place[last] : 0
  if (typeof found !== 'number') throw noNumber(path, `there is a ${typeof found}`)
  const sum = found + by
  if (!Number.isFinite(sum)) throw noNumber(path, `the sum would be ${sum}`)
  place[last] = sum
  return sum
}

function makeAt(place: Fields, name: string): Fields {
  const made: Fields = {}
  place[name] = made
  return made
}

function noNumber(path: string, why: string): TypeError {
  return new TypeError(`session.increment cannot add at ${JSON.stringify(path)}: ${why}`)
}
