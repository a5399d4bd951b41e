import { InvalidSessionRecordError } from '../errors.ts'
import { decodeRecord, isObject } from '../record.ts'

/** Fields as the app put them into its session. */
export type Fields = Record<string, unknown>

/** The cookie's part of a record, as express-session writes it: what `maxAge` was set to, and when that ends. */
export interface RecordCookie {
  readonly originalMaxAge?: number | null | undefined
  readonly expires?: string | null | undefined
  readonly httpOnly?: boolean | undefined
  readonly path?: string | undefined
  readonly domain?: string | undefined
  readonly secure?: boolean | undefined
  readonly sameSite?: string | undefined
}

/**
 * What is known of a session beside the app's fields, in the record's field `__session`. Other programs that write
 * the record, connect-redis say, carry it along. Times are milliseconds since the epoch.
 */
export interface SessionMeta {
  readonly created: number
  /** When it was last seen, to the time between two touches. */
  readonly seen: number
  /** When somebody logged in: the id was replaced by a new one then. */
  readonly login?: number | undefined
  /** What the tokens against request forgery are made from, since the first was asked for. */
  readonly csrf?: string | undefined
  /** Who it is listed for among the sessions of users, and when that was renewed. */
  readonly user?: string | undefined
  readonly listed?: number | undefined
  /** Somebody waits for its end, and has it noted. */
  readonly watched?: true | undefined
  /** Its public name, where that is not made of its key: it has another key than it began with. */
  readonly handle?: string | undefined
  /** Where the browser was seen last, and what it says of itself. */
  readonly ip?: string | undefined
  readonly agent?: string | undefined
  /** When its id was replaced last, and the key that it had before; `shown`: the same, once the new id was shown. */
  readonly rotated?: number | undefined
  readonly from?: string | undefined
  readonly shown?: string | undefined
  /** It was copied from another store, and may still be there. */
  readonly arriving?: true | undefined
  /** The format's version, and the last of these fields: what follows it in the text are the app's. */
  readonly v: 1
}

/** A record, and what it says. */
export interface SessionRecord {
  readonly text: string
  readonly cookie: RecordCookie
  readonly meta: SessionMeta
  /** The app's fields alone, as JSON: what a session that has not changed is written as again. */
  readonly data: string
}

/** A record that was read. */
export interface ReadRecord extends SessionRecord {
  /** The record as an object: the app's fields, and `cookie` and `__session` among them. */
  readonly fields: Fields
}

/** The names in a record that are not the app's. */
export function isOurs(name: string): boolean {
  return name === 'cookie' || name === '__session'
}

/** Puts a record together; `data` is the JSON of an object. */
export function writeRecord(cookie: RecordCookie, meta: SessionMeta, data: string): SessionRecord {
  const { v, ...rest } = meta
  const head = `{"cookie":${JSON.stringify(cookie)},"__session":${JSON.stringify({ ...rest, v })}`
  const text = data === '{}' ? `${head}}` : `${head},${data.slice(1)}`
  return { text, cookie, meta, data }
}

/**
 * Takes a record apart. One that another library wrote has no `__session` yet: it counts as created now, and was never
 * seen. Throws `InvalidSessionRecordError` for what is no record, or one of a newer format.
 */
export function readRecord(text: string, now: number): ReadRecord {
  const record = decodeRecord(text)
  // `decodeRecord` has seen that it is an object, and that its cookie's times are times.
  const fields = record as unknown as Fields
  const cookie = record.cookie as RecordCookie
  const { __session: found } = fields
  if (found === undefined) {
    return { text, cookie, meta: { created: now, seen: 0, v: 1 }, fields, data: dataOf(fields) }
  }
  if (!isMeta(found)) throw new InvalidSessionRecordError('what it says of itself is not readable here')
  return { text, cookie, meta: found, fields, data: tailOf(text) ?? dataOf(fields) }
}

function isMeta(found: unknown): found is SessionMeta {
  const isRight = isObject(found) && found.v === 1 && isTime(found.created) && isTime(found.seen)
  if (!isRight) return false
  const { login, listed, rotated, csrf, user, handle, ip, agent, from, shown } = found
  return (
    [login, listed, rotated].every((time) => isMissingOr(time, isTime)) &&
    [csrf, user, handle, ip, agent, from, shown].every((text) => isMissingOr(text, isText))
  )
}

function isMissingOr(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return value === undefined || isRight(value)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/**
 * What `writeRecord` was given as `data`, cut from its text: a JSON.stringify less per request. Undefined where the text does
 * not begin as ours do, up to the first brace behind our version: a wrong cut would hide that a field was removed.
 */
function tailOf(text: string): string | undefined {
  const endOfCookie = text.startsWith('{"cookie":{') ? text.indexOf('}') : -1
  if (!text.startsWith(beginOfOurs, endOfCookie)) return undefined
  const end = text.indexOf('}', endOfCookie + beginOfOurs.length)
  if (!text.startsWith(endOfOurs, end - endOfOurs.length + 1)) return undefined
  return text[end + 1] === ',' ? `{${text.slice(end + 2)}` : '{}'
}

const beginOfOurs = '},"__session":{'
const endOfOurs = ',"v":1}'

function dataOf(fields: Fields): string {
  const names = Object.keys(fields).filter((name) => !isOurs(name))
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, fields[name]])))
}
