import { InvalidRowError } from './errors.ts'

const tag = '$stepladder'

/**
 * A row as text, taken now, so that a later change by the caller does not travel. Column values that JSON
 * would lose (dates, bytes, bigints, NaN) keep their type; inside nested objects JSON's own rules hold.
 * Throws `InvalidRowError` for what is not plain data.
 */
export function encodeRow(row: unknown): string {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new InvalidRowError('a row must be an object of columns')
  }
  let tagged: Record<string, unknown> | undefined
  for (const [column, value] of Object.entries(row)) {
    const encoded = encodeValue(column, value)
    if (encoded !== value) {
      tagged ??= { ...row }
      tagged[column] = encoded
    }
  }
  try {
    return JSON.stringify(tagged ?? row)
  } catch (cause) {
    throw new InvalidRowError('it cannot be written as JSON', { cause })
  }
}

/** The rows of a batch as text. */
export function joinRows(encoded: readonly string[]): string {
  return `[${encoded.join(',')}]`
}

/** What `encodeRow` and `joinRows` made. */
export function decodeRows(body: string): Record<string, unknown>[] {
  // Nobody else writes these texts, so they hold what `joinRows` put there.
  const rows = JSON.parse(body) as Record<string, unknown>[]
  if (body.includes(`"${tag}"`)) for (const row of rows) decodeRow(row)
  return rows
}

function encodeValue(column: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { [tag]: 'bigint', value: value.toString() }
  if (typeof value === 'number' && !Number.isFinite(value)) return { [tag]: 'number', value: String(value) }
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new InvalidRowError(`column "${column}" holds a ${typeof value}`)
  }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return { [tag]: 'date', value: value.getTime() }
  if (value instanceof Uint8Array) return { [tag]: 'bytes', value: Buffer.from(value).toString('base64') }
  if ('toOperationNode' in value) {
    throw new InvalidRowError(`column "${column}" holds an SQL expression; a queued row must be plain data`)
  }
  return tag in value ? { [tag]: 'json', value } : value
}

function decodeRow(row: Record<string, unknown>): void {
  for (const [column, value] of Object.entries(row)) {
    if (typeof value === 'object' && value !== null && tag in value && 'value' in value) {
      row[column] = decodeValue(value[tag], value.value)
    }
  }
}

function decodeValue(type: unknown, value: unknown): unknown {
  switch (type) {
    case 'bigint':
      return BigInt(String(value))
    case 'number':
      return Number(value)
    case 'date':
      return new Date(value === null ? Number.NaN : Number(value))
    case 'bytes':
      return Buffer.from(String(value), 'base64')
    default:
      return value
  }
}
