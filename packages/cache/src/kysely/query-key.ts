import { hash } from 'node:crypto'
import { UncacheableQueryError } from './errors.ts'
import type { Origin } from './origin.ts'

/**
 * One key for one question: its SQL, its parameters, where it is asked, and what Kysely's plugins do to the
 * answer. Parameters of different types are different questions: 1, '1' and 1n are not the same to every database.
 */
export function queryKey(sql: string, parameters: readonly unknown[], { database, plugins }: Origin): string {
  const parts = [database, ...plugins, sql].map(text)
  const values = parameters.map((value, index) => parameterText(value, `parameter ${index + 1}`))
  return `query:${hash('sha256', [...parts, ...values].join(''), 'base64url')}`
}

/** Throws `UncacheableQueryError` for a value of which we cannot tell what the driver makes of it. */
function parameterText(value: unknown, what: string): string {
  switch (typeof value) {
    case 'string':
      return text(value)
    case 'number':
      return Object.is(value, -0) ? 'd-0;' : `d${value};`
    case 'bigint':
      return `b${value};`
    case 'boolean':
      return value ? 't' : 'f'
    case 'undefined':
      return 'u'
    case 'object':
      return value === null ? 'n' : objectText(value, what)
    default:
      throw new UncacheableQueryError(`its ${what} is a ${typeof value}`)
  }
}

function objectText(value: object, what: string): string {
  if (value instanceof Date) return `D${value.getTime()};`
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return `x${value.constructor.name}${bytes.length}:${bytes.toString('latin1')}`
  }
  if (Array.isArray(value)) return `[${value.map((item) => parameterText(item, what)).join('')}]`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    const fields = Object.entries(value).map(([name, field]) => text(name) + parameterText(field, what))
    return `{${fields.join('')}}`
  }
  throw new UncacheableQueryError(`its ${what} is an object of the class ${value.constructor.name}`)
}

/** With its length, so that no two lists of texts look the same. */
function text(value: string): string {
  return `s${value.length}:${value}`
}
