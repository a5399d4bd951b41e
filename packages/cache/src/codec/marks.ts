/**
 * What stands in JSON for what JSON has no word for: texts that begin with DEL, which hardly any text does, and one
 * of these. A text that begins so by itself is marked as one. A map is an array of its keys and values in turn, a set
 * one of its members, each after its mark. These are in stored records: one may be added, and none may change.
 */
export const start = '\x7f'
export const startCode = 0x7f

export const marks = {
  text: 's',
  date: 'd',
  bigint: 'b',
  undefined: 'u',
  notANumber: 'n',
  infinity: 'i',
  minusInfinity: 'j',
  minusZero: 'z',
  bytes: 'x',
  buffer: 'f',
  map: 'm',
  set: 'e',
} as const

/** Assigns a field, also one that is called `__proto__`: a plain assignment would change what the object is. */
export function putField(fields: Record<string, unknown>, field: string, value: unknown): void {
  if (field !== '__proto__') fields[field] = value
  else Object.defineProperty(fields, field, { value, enumerable: true, configurable: true, writable: true })
}
