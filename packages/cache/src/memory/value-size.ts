import { types } from 'node:util'

/** Nobody's cached value is larger on purpose: whoever caches a whole object graph is not kept waiting for its sum. */
const maxObjects = 10_000
const bytesPerObject = 16

/** About how many bytes a value takes, whatever it is; of what is reached by fields, elements, keys and values. */
export function sizeOfValue(value: unknown): number {
  let bytes = 0
  const seen = new Set<object>()
  const waiting: unknown[] = [value]
  while (waiting.length > 0 && seen.size < maxObjects) {
    const next = waiting.pop()
    if (typeof next === 'string') bytes += next.length
    else if (typeof next !== 'object' || next === null) bytes += 8
    else if (!seen.has(next)) {
      seen.add(next)
      bytes += bytesPerObject
      if (ArrayBuffer.isView(next)) bytes += next.byteLength
      else bytes += pushParts(next, waiting)
    }
  }
  return bytes
}

/** Queues what the object holds; the bytes of the names of its fields. */
function pushParts(object: object, waiting: unknown[]): number {
  if (types.isMap(object)) for (const [key, value] of object) waiting.push(key, value)
  else if (types.isSet(object) || Array.isArray(object)) for (const value of object) waiting.push(value)
  else {
    let bytes = 0
    for (const [field, { value }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      bytes += field.length
      waiting.push(value) // not `object[field]`, which would run a getter
    }
    return bytes
  }
  return 0
}
