import { isDeepStrictEqual } from 'node:util'
import { SessionNotSerializableError } from '../errors.ts'
import { withinNesting } from '../record/nesting.ts'
import { type Fields, isOurs } from '../record/session-record.ts'
import { isObject } from '../record.ts'
import { LiveSession } from './session.ts'

/** Methods that express-session's sessions do not have: an app's field of the name was there first, and hides it. */
const ownMethods: ReadonlySet<string> = new Set(['update', 'increment', 'info', 'csrfToken'])

/** Whether there can be no field of the name: it would hide what every session, or every object, must have. */
function isReserved(name: string): boolean {
  return isOurs(name) || (name in LiveSession.prototype && !ownMethods.has(name))
}

/** Puts a record's fields on a session; those that are reserved are left out. */
export function putFields(session: LiveSession, fields: Fields): void {
  // Its own fields are the app's.
  const own = session as unknown as Fields
  for (const name in fields) put(own, name, fields[name])
}

/**
 * Makes the session's fields the same as `fields`, in place where they are objects: what the app has taken from its
 * session, it goes on holding.
 */
export function becomeFields(session: LiveSession, fields: Fields): void {
  const own = session as unknown as Fields
  dropOthers(own, fields)
  for (const name of Object.keys(fields)) {
    const live = Object.hasOwn(own, name) ? own[name] : undefined
    if (!withinNesting(() => couldBecome(live, fields[name]))) put(own, name, fields[name])
  }
}

export function hasFields(session: object): boolean {
  for (const _name in session) return true
  return false
}

/** The app's fields of a record: those that a session would have. */
export function appFields(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !isReserved(name)))
}

/** Throws `SessionNotSerializableError` for a field that `putFields` would leave out: it would be lost in silence. */
export function refuseReserved(fields: object, data: string): void {
  // What its own `toJSON` makes of a session, only the text tells.
  const written: object =
    'toJSON' in fields && typeof fields.toJSON === 'function' ? JSON.parse(data) : fields
  for (const name in written) {
    if (!isReserved(name) || !Object.hasOwn(written, name)) continue
    const value = (written as Fields)[name]
    if (value !== undefined && typeof value !== 'function')
      throw new SessionNotSerializableError(`a field cannot be called ${JSON.stringify(name)}`)
  }
}

function put(own: Fields, name: string, value: unknown): void {
  if (isReserved(name)) return
  // Assigning would call the setter of a method's name.
  if (!ownMethods.has(name)) own[name] = value
  else Object.defineProperty(own, name, { value, configurable: true, enumerable: true, writable: true })
}

function couldBecome(live: unknown, value: unknown): boolean {
  if (!isPlain(live) || !isObject(value)) return isDeepStrictEqual(live, value)
  dropOthers(live, value)
  for (const [name, next] of Object.entries(value)) {
    // `__proto__` would be everybody's.
    if (name === '__proto__') continue
    const found = Object.hasOwn(live, name) ? live[name] : undefined
    if (!couldBecome(found, next)) live[name] = next
  }
  return true
}

/** A function is no field: somebody has put it there for this request. */
function dropOthers(live: Fields, fields: Fields): void {
  for (const name of Object.keys(live)) {
    if (!Object.hasOwn(fields, name) && typeof live[name] !== 'function') delete live[name]
  }
}

function isPlain(value: unknown): value is Fields {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype && !Object.isFrozen(value)
}
