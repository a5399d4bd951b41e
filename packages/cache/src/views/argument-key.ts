import { createHash } from 'node:crypto'
import { types } from 'node:util'
import { UnkeyableArgumentError } from '../errors.ts'

/** A key may have 1024 bytes, of which its namespaces take some. */
const maxLength = 200
const maxDepth = 100

/**
 * Arguments as the text of a key: two lists have the same text only if they hold equal values of equal types, whatever
 * the order of the fields in their objects. Throws `UnkeyableArgumentError` for what has an identity rather than a
 * value: functions, symbols, instances of classes.
 */
export function keyOfArguments(name: string, args: readonly unknown[]): string {
  const text = `(${args.map((arg, index) => textOf({ name, path: `argument ${index + 1}`, depth: 0 }, arg)).join(',')})`
  return text.length <= maxLength ? text : `sha256:${createHash('sha256').update(text).digest('base64url')}`
}

/** Where in the arguments of which function. */
interface Place {
  readonly name: string
  readonly path: string
  readonly depth: number
}

function textOf(place: Place, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'object':
      return value === null ? 'null' : textOfObject(place, value)
    default:
      return refuse(place, `a ${typeof value}`)
  }
}

function textOfObject(place: Place, object: object): string {
  if (types.isDate(object)) return `Date(${object.getTime()})`
  if (place.depth === maxDepth) return refuse(place, 'nested too deeply, or part of a cycle')
  const fields = Object.keys(object)
  if (Object.getOwnPropertySymbols(object).length > 0) return refuse(place, 'an object with a symbol in it')
  const within = (field: string) => ({ ...place, path: `${place.path}.${field}`, depth: place.depth + 1 })
  if (Array.isArray(object)) {
    if (fields.length !== object.length)
      return refuse(place, 'an array with holes, or with fields of its own')
    return `[${object.map((element, index) => textOf(within(`${index}`), element)).join(',')}]`
  }
  if (!isPlain(object)) return refuse(place, `of type ${object.constructor?.name || 'unknown'}`)
  const values = object as Record<string, unknown> // plain: its fields are all there is to it
  const texts = fields
    .sort()
    .map((field) => `${JSON.stringify(field)}:${textOf(within(field), values[field])}`)
  return `{${texts.join(',')}}`
}

/** By the shape of its prototype, not its identity: test runners give every file globals of its own. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function refuse({ name, path }: Place, found: string): never {
  throw new UnkeyableArgumentError(name, path, found)
}
