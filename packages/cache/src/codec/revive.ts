import { marks, putField, start, startCode } from './marks.ts'

const mapStart = start + marks.map
const setStart = start + marks.set

/** The value of which `mark` made this, in place where it can be. Throws for what `mark` never makes. */
export function revive(marked: unknown): unknown {
  if (typeof marked === 'string') return marked.charCodeAt(0) === startCode ? reviveText(marked) : marked
  if (typeof marked !== 'object' || marked === null) return marked
  // Fresh from JSON.parse: an array, or an object of fields, and nobody else's.
  return Array.isArray(marked) ? reviveArray(marked) : reviveFields(marked as Record<string, unknown>)
}

function reviveFields(fields: Record<string, unknown>): Record<string, unknown> {
  for (const field of Object.keys(fields)) {
    const value = fields[field]
    if (typeof value !== 'string' && typeof value !== 'object') continue
    const revived = revive(value)
    if (revived !== value) putField(fields, field, revived)
  }
  return fields
}

function reviveArray(array: unknown[]): unknown {
  if (array[0] === mapStart) return reviveMap(array)
  if (array[0] === setStart) return new Set(array.slice(1).map(revive))
  for (let index = 0; index < array.length; index++) array[index] = revive(array[index])
  return array
}

function reviveMap(array: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map()
  for (let index = 1; index < array.length; index += 2)
    map.set(revive(array[index]), revive(array[index + 1]))
  return map
}

function reviveText(text: string): unknown {
  const rest = text.slice(2)
  switch (text[1]) {
    case marks.text:
      return rest
    case marks.date:
      return new Date(Number(rest))
    case marks.bigint:
      return BigInt(rest)
    case marks.undefined:
      return undefined
    case marks.notANumber:
      return Number.NaN
    case marks.infinity:
      return Number.POSITIVE_INFINITY
    case marks.minusInfinity:
      return Number.NEGATIVE_INFINITY
    case marks.minusZero:
      return -0
    case marks.bytes:
      return new Uint8Array(Buffer.from(rest, 'base64'))
    case marks.buffer:
      return Buffer.from(rest, 'base64')
  }
  throw new SyntaxError(`it has the mark ${JSON.stringify(text[1])}, which this version does not know`)
}
