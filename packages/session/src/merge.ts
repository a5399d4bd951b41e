import { isDeepStrictEqual } from 'node:util'
import { SessionNotSerializableError } from './errors.ts'
import { withinNesting } from './record/nesting.ts'
import { decodeRecord, isObject, type SessionLike } from './record.ts'

type Fields = Record<string, unknown>

/** Two requests changed the same field; what is returned is what it becomes, and undefined removes it. */
export interface Conflict {
  /** The names that lead to the field. */
  readonly path: readonly string[]
  /**
   * What it was when this request began, what this request made of it, and what another has saved meanwhile. Undefined: it
   * was not there, or was removed.
   */
  readonly base: unknown
  readonly mine: unknown
  readonly theirs: unknown
}

/** Decides a conflict; may be called several times for one. */
export type OnConflict = (conflict: Conflict) => unknown

/**
 * What becomes of the record `current` when a request that began with `base` leaves `mine`: only what the
 * request changed is written, field by field and in nested objects too. An array is one value.
 * Where both changed the same field, mine stays, since it commits last. When one changed something inside
 * an object and the other removed the object, or put something else in its place, that stays, whoever came
 * first: a logout that deletes `session.user` is not undone by a request that noted when it was last seen.
 */
export function mergeRecords(
  base: string,
  mine: string,
  current: string,
  onConflict: OnConflict = lastOneWins,
): string {
  if (current === base || mine === current) return mine
  const [before, after, now] = [base, mine, current].map(fieldsOf)
  if (!now || !before || !after) return mine
  return stringify(withinNesting(() => merge(before, after, now, onConflict, [])))
}

/** What `onConflict` returned may be no JSON. */
function stringify(fields: Fields): string {
  try {
    return JSON.stringify(fields)
  } catch (cause) {
    throw new SessionNotSerializableError('what `onConflict` returned is no JSON', { cause })
  }
}

const lastOneWins: OnConflict = ({ mine }) => mine

/** As `mergeRecords`, for an app's fields: mine stay where both changed the same. */
export function mergeFields(base: Fields, mine: Fields, current: Fields): Fields {
  return withinNesting(() => merge(base, mine, current, lastOneWins, []))
}

/** The record `current` with its cookie replaced, and nothing else. */
export function replaceCookie(cookie: SessionLike['cookie'], current: string): string {
  const fields = fieldsOf(current)
  return fields ? JSON.stringify({ ...fields, cookie }) : current
}

/** A record that somebody else has spoilt meanwhile has no fields to keep. */
function fieldsOf(text: string): Fields | undefined {
  try {
    return { ...decodeRecord(text) }
  } catch {
    return undefined
  }
}

/** The cookie and what we know of the session are no fields of the app's. */
function isOurs([top]: readonly string[], name: string): boolean {
  const field = top ?? name
  return field === 'cookie' || field === '__session'
}

function merge(
  before: Fields,
  after: Fields,
  now: Fields,
  onConflict: OnConflict,
  path: readonly string[],
): Fields {
  // Maps, because a field may be called `__proto__`, and an object would take it for its prototype.
  const was = new Map(Object.entries(before))
  const is = new Map(Object.entries(after))
  const merged = new Map(Object.entries(now))

  for (const [name, old] of was) {
    if (is.has(name)) continue
    const theirs = merged.get(name)
    const isMine =
      isOurs(path, name) || isObject(old) || theirs === undefined || isDeepStrictEqual(theirs, old)
    const conflict = { path: [...path, name], base: old, mine: undefined, theirs }
    const settles = isMine ? undefined : settled(onConflict(conflict))
    if (settles === undefined) merged.delete(name)
    else merged.set(name, settles)
  }
  for (const [name, value] of is) {
    const old = was.get(name)
    if (isDeepStrictEqual(old, value)) continue
    const theirs = merged.get(name)
    if (isObject(value) && isObject(theirs)) {
      const inside = [...path, name]
      merged.set(name, merge(isObject(old) ? old : {}, value, theirs, onConflict, inside))
    } else if (!isObject(old) || !isObject(value)) {
      const isMine = isOurs(path, name) || isDeepStrictEqual(theirs, old)
      const conflict = { path: [...path, name], base: old, mine: value, theirs }
      merged.set(name, isMine ? value : settled(onConflict(conflict)))
    }
  }
  if (path.length === 1 && path[0] === '__session') keepLast(merged, 'v')
  return Object.fromEntries(merged)
}

/** Readers find the end of `__session` by it. */
function keepLast(fields: Map<string, unknown>, name: string): void {
  const value = fields.get(name)
  if (fields.delete(name)) fields.set(name, value)
}

/** A promise would be stored as an empty object, and what it is fulfilled with nowhere. */
function settled(value: unknown): unknown {
  if (value instanceof Promise) {
    // The app is told of its mistake below; how its promise ends is nobody's any more.
    value.catch(() => {})
    throw new TypeError('onConflict must return at once: it may be called several times')
  }
  return value
}
