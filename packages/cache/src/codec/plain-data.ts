import { UnstorableValueError } from '../errors.ts'

const dateMark = '$stepladder:date'
const maxDepth = 500

/**
 * A value as JSON can carry it, unchanged or as a copy with its dates marked.
 * Throws `UnstorableValueError` for what JSON would lose or change in silence.
 */
export function pack(value: unknown): { readonly packed: unknown; readonly hasDates: boolean } {
  const packer = new Packer()
  const packed = value === undefined ? undefined : packer.pack(value)
  return { packed, hasDates: packer.hasDates }
}

class Packer {
  hasDates = false
  readonly #path: (string | number)[] = []
  readonly #above: object[] = []

  pack(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        return Number.isFinite(value) ? value : this.#refuse(String(value))
      case 'object':
        return value === null ? null : this.#packObject(value)
      default:
        return this.#refuse(typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`)
    }
  }

  #packObject(object: object): unknown {
    // By its tag, not by `instanceof`: test runners give every file globals of its own.
    const type = Object.prototype.toString.call(object).slice('[object '.length, -1)
    if (type === 'Date') return this.#packDate(object as Date) // the tag said so
    if (this.#above.includes(object)) this.#refuse('part of a cycle')
    if (this.#above.length === maxDepth) this.#refuse(`more than ${maxDepth} levels deep`)
    if ('toJSON' in object) this.#refuse('an object with toJSON(), which would come back as something else')

    this.#above.push(object)
    let packed: unknown
    if (Array.isArray(object)) packed = this.#packArray(object)
    else if (type === 'Object')
      packed = this.#packFields(object as Record<string, unknown>) // as its tag says
    else this.#refuse(`of type ${type}`)
    this.#above.pop()
    return packed
  }

  #packDate(date: Date): unknown {
    if (Number.isNaN(date.getTime())) this.#refuse('an invalid date')
    this.hasDates = true
    return { [dateMark]: date.getTime() }
  }

  #packArray(array: readonly unknown[]): readonly unknown[] {
    let copy: unknown[] | undefined
    for (let index = 0; index < array.length; index++) {
      const packed = this.#packAt(index, array[index])
      if (packed === array[index]) continue
      copy ??= [...array]
      copy[index] = packed
    }
    return copy ?? array
  }

  #packFields(object: Record<string, unknown>): Record<string, unknown> {
    let copy: Record<string, unknown> | undefined
    for (const field of Object.keys(object)) {
      const value = object[field]
      if (value === undefined) continue // JSON leaves the field out, and reading it gives the same
      if (field === dateMark) this.#refuse(`an object with the reserved field "${dateMark}"`)
      const packed = this.#packAt(field, value)
      if (packed === value) continue
      copy ??= { ...object }
      copy[field] = packed
    }
    return copy ?? object
  }

  #packAt(step: string | number, value: unknown): unknown {
    this.#path.push(step)
    const packed = this.pack(value)
    this.#path.pop()
    return packed
  }

  #refuse(found: string): never {
    const path = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    throw new UnstorableValueError(`$${path.join('')}`, found)
  }
}

/** Turns the marks that `pack` made back into dates, in place. */
export function unpackDates(packed: unknown): unknown {
  if (typeof packed !== 'object' || packed === null) return packed
  if (dateMark in packed) return new Date(Number(packed[dateMark]))
  // Fresh from JSON.parse: an array or an object of fields, and nobody else's.
  const fields = packed as Record<string, unknown>
  for (const field of Object.keys(fields)) {
    const value = fields[field]
    if (typeof value === 'object' && value !== null) fields[field] = unpackDates(value)
  }
  return packed
}
