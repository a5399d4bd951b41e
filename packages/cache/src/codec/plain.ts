import { isBuiltIn, isFieldsOnly } from './prototypes.ts'

/** Deeper than any data that was meant; `JSON.stringify` ends with a stack overflow at some thousands. */
export const maxDepth = 500

/**
 * True if `JSON.parse(JSON.stringify(value))` reads like the value. The whole cost of most values is in here:
 * it notes nothing on its way, since `mark` says where the trouble is when there is some.
 */
export function isPlain(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      if (value === null) return true
      if (depth === maxDepth) return false // as every cycle is
      return Array.isArray(value) ? isPlainArray(value, depth + 1) : isPlainObject(value, depth + 1)
    default:
      return false
  }
}

function isPlainArray(array: readonly unknown[], depth: number): boolean {
  const prototype = Object.getPrototypeOf(array)
  if ((prototype !== Array.prototype && !isBuiltIn(prototype, 1)) || hasToJson(array)) return false
  for (let index = 0; index < array.length; index++) {
    if (!isPlain(array[index], depth)) return false
  }
  return true
}

function isPlainObject(object: object, depth: number): boolean {
  if (!isFieldsOnly(Object.getPrototypeOf(object)) || hasToJson(object)) return false
  const fields = object as Record<string, unknown> // any object is one
  for (const field in fields) {
    const value = fields[field]
    // JSON leaves out a field that is undefined, and reading it gives the same.
    if (value !== undefined && !isPlain(value, depth)) return false
  }
  return true
}

/** `JSON.stringify` would call it, wherever it comes from, and write what it returns. */
export function hasToJson(object: object): boolean {
  return typeof (object as { toJSON?: unknown }).toJSON === 'function'
}
