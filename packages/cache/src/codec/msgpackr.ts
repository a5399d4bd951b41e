import { types } from 'node:util'
import { jsonCodec } from './json.ts'
import { hasToJson, maxDepth } from './plain.ts'
import { isBuiltIn, isFieldsOnly } from './prototypes.ts'
import type { ValueCodec } from './value-codec.ts'

/** What we use of the package msgpackr, in any version from 1.10. */
export interface Msgpackr {
  readonly Packr: new (options: {
    readonly useRecords: boolean
    readonly moreTypes: boolean
    readonly useBigIntExtension: boolean
    readonly copyBuffers: boolean
  }) => { pack(value: unknown): Buffer; unpack(bytes: Buffer): unknown }
}

/** The one byte that MessagePack never uses. */
const jsonFollows = 0xc1

/**
 * MessagePack by the package that the app has: `import * as msgpackr from 'msgpackr'`, `msgpackrCodec(msgpackr)`.
 * Carries and refuses what `jsonCodec` does, in less space where there are bytes, dates or long lists of rows.
 */
export function msgpackrCodec({ Packr }: Msgpackr): ValueCodec {
  const packr = new Packr({ useRecords: true, moreTypes: true, useBigIntExtension: true, copyBuffers: true })
  return {
    id: 'msgpackr',

    encode(value) {
      if (isExact(value, 0)) return packr.pack(value)
      // What it would change goes as JSON, which carries it or says why not.
      return Buffer.concat([Buffer.of(jsonFollows), Buffer.from(jsonCodec.encode(value))])
    },

    decode: (bytes) => (bytes[0] === jsonFollows ? jsonCodec.decode(bytes.subarray(1)) : packr.unpack(bytes)),
  }
}

/** True if msgpackr carries the value as it is: it would change -0, half characters, and a field `__proto__`. */
function isExact(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
    case 'number':
      return !Object.is(value, -0)
    case 'object':
      return value === null || (depth < maxDepth && isExactObject(value, depth + 1))
    default:
      return typeof value === 'boolean' || typeof value === 'bigint' || value === undefined
  }
}

function isExactObject(object: object, depth: number): boolean {
  const prototype: object | null = Object.getPrototypeOf(object)
  const areExact = (values: readonly unknown[]) => values.every((value) => isExact(value, depth))
  if (isFieldsOnly(prototype)) {
    const names = Object.keys(object)
    if (names.includes('__proto__') || hasToJson(object)) return false
    return areExact(names) && areExact(Object.values(object))
  }
  if (Array.isArray(object)) {
    return isBuiltIn(prototype, 1) && !hasToJson(object) && hasNoHole(object) && areExact(object)
  }
  // msgpackr knows those of its own realm only.
  if (prototype === Map.prototype && types.isMap(object)) return areExact([...object].flat())
  if (prototype === Set.prototype && types.isSet(object)) return areExact([...object])
  if (types.isUint8Array(object)) return Buffer.isBuffer(object) || prototype === Uint8Array.prototype
  return prototype === Date.prototype && types.isDate(object)
}

function hasNoHole(array: readonly unknown[]): boolean {
  for (let index = 0; index < array.length; index++) if (!(index in array)) return false
  return true
}
