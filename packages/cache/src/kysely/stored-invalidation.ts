import { type Invalidation, readInvalidation } from '../bus/bus.ts'
import { checkKey, checkTags } from '../call/key.ts'
import type { TakenRow } from './outbox-rows.ts'

/** Several rows as one invalidation; undefined when one of them cannot be understood. */
export function mergeRows(rows: readonly TakenRow[]): Invalidation | undefined {
  const keys = new Set<string>()
  const tags = new Set<string>()
  for (const row of rows) {
    const invalidation = read(row.invalidation)
    if (!invalidation) return undefined
    for (const key of invalidation.keys) keys.add(key)
    for (const tag of invalidation.tags) tags.add(tag)
  }
  return { keys: [...keys], tags: [...tags] }
}

/** Rows may be written by other programs, and a later version of this one. */
function read(text: string): Invalidation | undefined {
  try {
    const invalidation = readInvalidation(JSON.parse(text))
    for (const key of invalidation?.keys ?? []) checkKey('outbox', key)
    checkTags('outbox', invalidation?.tags ?? [])
    return invalidation
  } catch {
    return undefined
  }
}
