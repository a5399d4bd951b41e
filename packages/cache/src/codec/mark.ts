import { types } from 'node:util'
import { UnstorableValueError } from '../errors.ts'
import { marks, putField, start, startCode } from './marks.ts'
import { hasToJson, maxDepth } from './plain.ts'
import { isBuiltIn, isFieldsOnly } from './prototypes.ts'

/**
 * The value as plain JSON can carry it: a copy, as far as needed, in which marks stand for what it cannot.
 * Throws `UnstorableValueError` with the path of what would come back as something else.
 */
export function mark(value: unknown): unknown {
  return new Marker().mark(value)
}

class Marker {
  readonly #path: (string | number)[] = []
  readonly #above: object[] = []

  mark(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return value.charCodeAt(0) === startCode ? as(marks.text, value) : value
      case 'number':
        return markNumber(value)
      case 'boolean':
        return value
      case 'bigint':
        return as(marks.bigint, String(value))
      case 'undefined':
        return as(marks.undefined)
      case 'object':
        return value === null ? null : this.#markObject(value)
      default:
        return this.#refuse(`a ${typeof value}`)
    }
  }

  #markObject(object: object): unknown {
    if (this.#above.includes(object)) this.#refuse('part of a cycle')
    if (this.#above.length === maxDepth) this.#refuse(`more than ${maxDepth} levels deep`)
    this.#above.push(object)
    const marked = this.#markWhole(object)
    this.#above.pop()
    return marked
  }

  #markWhole(object: object): unknown {
    const prototype: object | null = Object.getPrototypeOf(object)
    if (hasToJson(object) && !types.isDate(object) && !Buffer.isBuffer(object)) {
      this.#refuse('an object with toJSON(), which would come back as something else')
    }
    if (isFieldsOnly(prototype)) return this.#markFields(object as Record<string, unknown>) // any object is one
    if (Buffer.isBuffer(object)) return as(marks.buffer, object.toString('base64'))
    if (isBuiltIn(prototype, 1)) {
      if (Array.isArray(object)) return this.#markArray(object)
      if (types.isDate(object)) return as(marks.date, String(object.getTime()))
      if (types.isMap(object)) return this.#markMap(object)
      if (types.isSet(object))
        return [as(marks.set), ...Array.from(object, (one) => this.#markAt('<member>', one))]
    }
    if (types.isUint8Array(object) && isBuiltIn(prototype, 2)) {
      const { buffer, byteOffset, length } = object
      return as(marks.bytes, Buffer.from(buffer, byteOffset, length).toString('base64'))
    }
    return this.#refuse(describe(object))
  }

  #markFields(object: Record<string, unknown>): Record<string, unknown> {
    let copy: Record<string, unknown> | undefined
    for (const field of Object.keys(object)) {
      const value = object[field]
      if (value === undefined) continue // JSON leaves the field out, and reading it gives the same
      const marked = this.#markAt(field, value)
      if (marked === value) continue
      copy ??= { ...object }
      putField(copy, field, marked)
    }
    return copy ?? object
  }

  #markArray(array: readonly unknown[]): readonly unknown[] {
    const marked: unknown[] = []
    for (let index = 0; index < array.length; index++) {
      marked.push(index in array ? this.#markAt(index, array[index]) : this.#refuseHole(index))
    }
    return marked
  }

  #markMap(map: ReadonlyMap<unknown, unknown>): readonly unknown[] {
    const marked: unknown[] = [as(marks.map)]
    for (const [key, value] of map) {
      marked.push(this.#markAt('<key>', key), this.#markAt('<value>', value))
    }
    return marked
  }

  #markAt(step: string | number, value: unknown): unknown {
    this.#path.push(step)
    const marked = this.mark(value)
    this.#path.pop()
    return marked
  }

  /** Read, it is undefined; counted or copied it is not. */
  #refuseHole(index: number): never {
    this.#path.push(index)
    return this.#refuse('a hole in its list')
  }

  #refuse(found: string): never {
    const path = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    throw new UnstorableValueError(`$${path.join('')}`, found)
  }
}

function markNumber(number: number): unknown {
  if (Number.isNaN(number)) return as(marks.notANumber)
  if (Object.is(number, -0)) return as(marks.minusZero)
  if (number === Number.POSITIVE_INFINITY) return as(marks.infinity)
  return number === Number.NEGATIVE_INFINITY ? as(marks.minusInfinity) : number
}

/** The mark of this letter, and what comes with it. */
function as(letter: string, rest = ''): string {
  return start + letter + rest
}

/** Why an object is refused, for the person who has to change it. */
function describe(object: object): string {
  const type = Object.prototype.toString.call(object).slice('[object '.length, -1)
  if (type !== 'Object') return `of type ${type}`
  return `an object with the prototype of ${object.constructor?.name}, whose members it would lose`
}
