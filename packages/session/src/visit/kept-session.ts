import { SessionEndedError } from '../errors.ts'
import { mergeRecords } from '../merge.ts'
import {
  type Fields,
  type RecordCookie,
  readRecord,
  type SessionMeta,
  type SessionRecord,
  writeRecord,
} from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { encodeFields, refuseOversize } from './encode-fields.ts'
import { appFields, refuseReserved } from './live-fields.ts'
import type { Notes } from './note-book.ts'
import type { SessionCookie } from './session-cookie.ts'

/** A session that was found in the store, under its key. */
export interface Found {
  readonly key: string
  readonly record: SessionRecord
  /** The record as the store has it; undefined where that is not known. */
  readonly stored: string | undefined
}

/** A session in the store, as one request knows it: what it was read as, or saved as last. */
export class KeptSession {
  readonly key: string
  readonly #parts: SessionsParts
  #record: SessionRecord
  #stored: string | undefined

  constructor(parts: SessionsParts, { key, record, stored }: Found) {
    this.key = key
    this.#parts = parts
    this.#record = record
    this.#stored = stored
  }

  /** Puts a new session into the store. */
  static async create(
    parts: SessionsParts,
    key: string,
    cookie: SessionCookie,
    data: string,
    notes?: Notes | undefined,
  ): Promise<KeptSession> {
    const record = writeRecord(recordCookie(parts, cookie), { ...newMeta(parts), ...notes }, data)
    await parts.records.create(key, record.text, ttlMs(parts, cookie, record.meta))
    return new KeptSession(parts, { key, record, stored: undefined })
  }

  get meta(): SessionMeta {
    return this.#record.meta
  }

  /** The app's fields as JSON, as this request knows them to be stored. */
  get data(): string {
    return this.#record.data
  }

  /** Whether the app's fields, or how long the session may rest, are others than these. */
  isOtherThan(data: string, cookie: SessionCookie): boolean {
    return data !== this.#record.data || this.isOtherAge(cookie)
  }

  isOtherAge(cookie: SessionCookie): boolean {
    return cookie.maxAge !== (this.#record.cookie.originalMaxAge ?? null)
  }

  /** Whether it was seen so long ago, or is stored in such a way, that it should be written anew. */
  get isTouchDue(): boolean {
    const { settings, records } = this.#parts
    const isOutdated = this.#stored !== undefined && records.sealer.isOutdated(this.#stored)
    return isOutdated || settings.clock.now() - this.meta.seen >= settings.touchAfterMs
  }

  /** Puts what this request changed into what others have saved meanwhile. Throws `SessionEndedError`. */
  async save(data: string, cookie: SessionCookie, notes?: Notes | undefined): Promise<void> {
    const { text: base } = this.#record
    const { onConflict, maxBytes } = this.#parts.settings
    const mine = this.#written(data, cookie, notes)
    const isThere = await this.#change('set', mine, (current) => {
      const merged = mergeRecords(base, mine.text, current, onConflict)
      // Two that are small enough may be too large together.
      if (merged !== mine.text) refuseOversize(merged, maxBytes + mine.text.length - data.length)
      return merged
    })
    if (!isThere) throw new SessionEndedError()
  }

  /** Writes down that it was seen. False: it has ended, and there is nothing to be touched. */
  touch(cookie: SessionCookie, notes?: Notes | undefined): Promise<boolean> {
    const { text: base, data } = this.#record
    const mine = this.#written(data, cookie, notes)
    return this.#change('touch', mine, (current) => mergeRecords(base, mine.text, current))
  }

  /**
   * Lets `change` loose on the fields as they are in the store, and resolves to what it returned and to the fields
   * as they are then. Throws `SessionEndedError`.
   */
  async update<Result>(change: (fields: Fields) => Result): Promise<[Result, Fields]> {
    let latest: { readonly result: Result; readonly record: SessionRecord } | undefined
    const apply = (current: string) => {
      const { cookie, meta, fields } = readRecord(current, this.#now())
      const own = appFields(fields)
      const result = mustBeSync(change(own))
      const data = encodeFields(own)
      refuseReserved(own, data)
      refuseOversize(data, this.#parts.settings.maxBytes)
      const record = writeRecord(cookie, { ...meta, seen: this.#now() }, data)
      latest = { result, record }
      return record.text
    }
    const written = await this.#parts.records.change('update', this.key, {
      base: this.#record.text,
      stored: this.#stored,
      apply,
      ttlMs: (text) => this.#restsMs(text, { text: this.#record.text, cookie: this.#record.cookie }),
    })
    if (written === 'gone' || !latest) throw new SessionEndedError()
    return [latest.result, this.#adopt(latest.record.text, undefined)]
  }

  /** Reads it anew, and resolves to its fields. Throws `SessionEndedError`. */
  async reload(): Promise<Fields> {
    const found = await this.#parts.records.read(this.key)
    if (!found) throw new SessionEndedError()
    return this.#adopt(found.text, found.stored)
  }

  async destroy(): Promise<void> {
    await this.#parts.records.destroy(this.key)
  }

  /** Until it has rested too long, or lived too long. */
  ttlMs(cookie: SessionCookie): number {
    return ttlMs(this.#parts, cookie, this.meta)
  }

  get cookie(): RecordCookie {
    return this.#record.cookie
  }

  async #change(
    operation: 'set' | 'touch',
    mine: SessionRecord,
    apply: (current: string) => string,
  ): Promise<boolean> {
    const { key } = this
    const change = {
      base: this.#record.text,
      stored: this.#stored,
      apply,
      ttlMs: (text: string) => this.#restsMs(text, mine),
    }
    const written = await this.#parts.records.change(operation, key, change)
    if (written === 'gone') return false
    // What others have merged into it is theirs: the next save tells its own changes from this.
    this.#record = mine
    this.#stored = undefined
    return true
  }

  /** Others may have changed how long it may rest: what counts is the record that results. */
  #restsMs(text: string, mine: Pick<SessionRecord, 'text' | 'cookie'>): number {
    return ttlMs(
      this.#parts,
      text === mine.text ? mine.cookie : readRecord(text, this.#now()).cookie,
      this.meta,
    )
  }

  #adopt(text: string, stored: string | undefined): Fields {
    const record = readRecord(text, this.#now())
    this.#record = record
    this.#stored = stored
    return record.fields
  }

  #written(data: string, cookie: SessionCookie, notes: Notes | undefined): SessionRecord {
    const meta = { ...this.meta, ...notes, seen: this.#now() }
    return writeRecord(recordCookie(this.#parts, cookie), meta, data)
  }

  #now(): number {
    return this.#parts.settings.clock.now()
  }
}

/** Of a session that is not in the store yet. */
export function newMeta({ settings }: SessionsParts): SessionMeta {
  const now = settings.clock.now()
  return { created: now, seen: now, v: 1 }
}

export function ttlMs(
  { settings }: SessionsParts,
  {
    maxAge,
    originalMaxAge,
  }: { readonly maxAge?: number | null; readonly originalMaxAge?: number | null | undefined },
  { created }: SessionMeta,
): number {
  const mayRestMs = maxAge ?? originalMaxAge ?? settings.idleMs
  return Math.max(1, Math.ceil(Math.min(mayRestMs, created + settings.absoluteMs - settings.clock.now())))
}

function recordCookie({ settings }: SessionsParts, { maxAge }: SessionCookie): RecordCookie {
  // What another program stored may be longer than time lasts.
  const restsMs = Math.max(0, Math.min(maxAge ?? 0, settings.absoluteMs))
  const expires = maxAge === null ? null : new Date(settings.clock.now() + restsMs).toISOString()
  const { path, httpOnly } = settings.cookie
  return { originalMaxAge: maxAge, expires, httpOnly, path }
}

function mustBeSync<Result>(result: Result): Result {
  if (result instanceof Promise) {
    result.catch(() => {})
    throw new TypeError(
      'session.update takes a function that returns at once: it may be called several times',
    )
  }
  return result
}
