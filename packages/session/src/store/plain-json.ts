/** Beyond this many values a look at each costs as much as writing them. */
const mostValues = 1_000

/**
 * Whether a value is sure to become JSON, at a glance that costs less than making it. False where it is not sure: it
 * holds what JSON refuses or leaves out, an object of a class, a cycle, or more than a glance takes in.
 */
export function isPlainJson(value: unknown): boolean {
  return look(value, mostValues) >= 0
}

/** How many values may still be looked at after this one; less than none when one was not plain. */
function look(value: unknown, left: number): number {
  if (value === null || plainTypes.has(typeof value)) return left - 1
  if (typeof value !== 'object') return unsure
  if (!Array.isArray(value) && (Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value)) {
    return unsure
  }
  let rest = left - 1
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    if (rest < 0) return unsure
    rest = look(item, rest)
  }
  return rest
}

const unsure = -1
const plainTypes: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'undefined'])
