/**
 * What stands in JSON for what JSON has no word for: texts that begin with DEL, which hardly any text does. One that
 * does is marked as a text. A map is an array of its keys and values in turn, a set one of its members, each
 * after its mark. These are in stored records: a mark may be added, and none may change.
 */
export const start = '\x7f'

export const marks = {
  text: '\x7fs',
  date: '\x7fd',
  bigint: '\x7fb',
  undefined: '\x7fu',
  notANumber: '\x7fn',
  infinity: '\x7fi',
  minusInfinity: '\x7fj',
  minusZero: '\x7fz',
  bytes: '\x7fx',
  buffer: '\x7ff',
  map: '\x7fm',
  set: '\x7fe',
} as const

/** Assigns a field, also one that is called `__proto__`: a plain assignment would change what the object is. */
export function putField(fields: Record<string, unknown>, field: string, value: unknown): void {
  if (field !== '__proto__') fields[field] = value
  else Object.defineProperty(fields, field, { value, enumerable: true, configurable: true, writable: true })
}
