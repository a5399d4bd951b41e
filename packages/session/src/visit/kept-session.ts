import { SessionEndedError, SessionUnavailableError } from '../errors.ts'
import type { EndReason } from '../events.ts'
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
import { beginSession } from '../users/begin-session.ts'
import { endSession } from '../users/end-session.ts'
import type { Written } from '../write/lane.ts'
import { applyChange, type Change } from './apply-change.ts'
import { refuseOversize } from './encode-fields.ts'
import { newRecord, recordCookie, ttlMs } from './new-record.ts'
import type { Notes } from './note-book.ts'
import type { SessionCookie } from './session-cookie.ts'

/** A session that was found in the store, under its key. */
export interface Found {
  readonly key: string
  readonly record: SessionRecord
  /** The record as the store has it; undefined where that is not known. */
  readonly stored: string | undefined
}

/** What an update returned, and the fields as they are in the store then. */
export interface Updated<Result> {
  readonly result: Result
  readonly fields: Fields
}

/** A session in the store, as one request knows it: what it was read as, or saved as last. */
export class KeptSession {
  readonly key: string
  readonly #parts: SessionsParts
  #record: SessionRecord
  #stored: string | undefined
  /** Saves that failed, and may have been made all the same. */
  #doubts: readonly SessionRecord[] = noDoubts

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
    const record = newRecord(parts, cookie, data, notes)
    await beginSession(parts, { key, record, ttlMs: ttlMs(parts, cookie, record.meta) })
    return new KeptSession(parts, { key, record, stored: undefined })
  }

  get meta(): SessionMeta {
    return this.#record.meta
  }

  /** The record, as this request knows it to be stored. */
  get text(): string {
    return this.#record.text
  }

  /** The app's fields as JSON, as this request knows them to be stored. */
  get data(): string {
    return this.#record.data
  }

  /** Whether the app's fields, or how long the session may rest, are others than these. */
  isOtherThan(data: string, cookie: SessionCookie): boolean {
    return data !== this.#record.data || this.isOtherAge(cookie) || this.#doubts !== noDoubts
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

  /** Puts what this request changed into what others have saved meanwhile. Throws `SessionEndedError`, and is true else. */
  async save(data: string, cookie: SessionCookie, notes?: Notes | undefined): Promise<true> {
    const { maxBytes } = this.#parts.settings
    const mine = this.#written(data, cookie, notes)
    const apply = (current: string) => {
      const merged = this.#mergeInto(current, mine)
      // Two that are small enough may be too large together.
      if (merged !== mine.text) refuseOversize(merged, maxBytes + mine.text.length - data.length)
      return merged
    }
    try {
      if ((await this.#change('set', mine, apply)) === 'gone') throw new SessionEndedError()
    } catch (failure) {
      if (failure instanceof SessionUnavailableError) {
        this.#doubts = [...this.#doubts, mine]
        this.#stored = undefined
      }
      throw failure
    }
    this.#become(mine)
    return true
  }

  /** The fields as JSON that `current` would have if these were saved into it. */
  merged(data: string, current: string): string {
    const { text, cookie, meta } = this.#record
    if (current === text) return data
    return readRecord(this.#mergeInto(current, writeRecord(cookie, meta, data)), this.#now()).data
  }

  /** Writes down that it was seen. False: it has ended, and there is nothing to be touched. */
  async touch(cookie: SessionCookie, notes?: Notes | undefined): Promise<boolean> {
    const { text: base, data } = this.#record
    const mine = this.#written(data, cookie, notes)
    const apply = (current: string) => mergeRecords(base, mine.text, current)
    if ((await this.#change('touch', mine, apply)) === 'gone') return false
    this.#become(mine)
    return true
  }

  /**
   * Lets `change` loose on the fields as they are in the store. Undefined: that makes it another user's session, so that
   * it needs another id, and nothing was written. Throws `SessionEndedError`.
   */
  async update<Result>(
    change: Change<Result>,
    notes?: Notes | undefined,
  ): Promise<Updated<Result> | undefined> {
    let latest: { readonly result: Result; readonly record: SessionRecord | undefined } | undefined
    const apply = (current: string) => {
      const { cookie, meta, data, result, isOtherUser } = applyChange(this.#parts, current, change)
      const record = isOtherUser
        ? undefined
        : writeRecord(cookie, { ...meta, ...notes, seen: this.#now() }, data)
      latest = { result, record }
      return record?.text ?? current
    }
    const written = await this.#parts.records.change('update', this.key, {
      base: this.#record.text,
      stored: this.#stored,
      apply,
      ttlMs: (text) => this.#restsMs(text, { text: this.#record.text, cookie: this.#record.cookie }),
    })
    if (written === 'gone' || !latest) throw new SessionEndedError()
    const { result, record } = latest
    return record && { result, fields: this.#adopt(record.text, undefined) }
  }

  /** Reads it anew, and resolves to its fields. Throws `SessionEndedError`. */
  async reload(): Promise<Fields> {
    const found = await this.#parts.records.read(this.key, true)
    if (!found) throw new SessionEndedError()
    return this.#adopt(found.text, found.stored)
  }

  async destroy(reason: EndReason): Promise<void> {
    await endSession(this.#parts, { key: this.key, user: this.meta.user }, reason)
  }

  /** Until it has rested too long, or lived too long. */
  ttlMs(cookie: SessionCookie): number {
    return ttlMs(this.#parts, cookie, this.meta)
  }

  get cookie(): RecordCookie {
    return this.#record.cookie
  }

  /** Each save that may have been made is made before, so that what differs from it is undone where it was. */
  #mergeInto(current: string, mine: SessionRecord): string {
    const { onConflict } = this.#parts.settings
    if (this.#doubts === noDoubts) return mergeRecords(this.#record.text, mine.text, current, onConflict)
    const made = this.#doubts.findLastIndex(({ text }) => text === current)
    const steps = [this.#record, ...this.#doubts, mine].slice(made + 1)
    return steps.reduce((record, { text }, step) => {
      const base = steps[step - 1]
      return base ? mergeRecords(base.text, text, record, onConflict) : record
    }, current)
  }

  #change(
    operation: 'set' | 'touch',
    mine: SessionRecord,
    apply: (current: string) => string,
  ): Promise<Written> {
    return this.#parts.records.change(operation, this.key, {
      base: this.#record.text,
      stored: this.#stored,
      apply,
      ttlMs: (text: string) => this.#restsMs(text, mine),
    })
  }

  /** What others have merged into it is theirs: the next save tells its own changes from this. */
  #become(mine: SessionRecord): void {
    this.#record = mine
    this.#stored = undefined
    this.#doubts = noDoubts
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
    this.#doubts = noDoubts
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

const noDoubts: readonly SessionRecord[] = []
