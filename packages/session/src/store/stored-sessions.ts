import type { Closeable } from '@stepladder/core'
import type { SessionBackend } from '../backend.ts'
import { InvalidSessionRecordError } from '../errors.ts'
import { mergeRecords, replaceCookie } from '../merge.ts'
import type { Migration } from '../migrate/migration.ts'
import { reportOnce, runOperation } from '../operation.ts'
import { isMark } from '../record/marks.ts'
import { unsealed } from '../record/sealer.ts'
import { decodeRecord, type SessionLike } from '../record.ts'
import type { Records } from '../records.ts'
import { timeToLive } from '../time-to-live.ts'
import { refuseOversize } from '../visit/encode-fields.ts'
import { decodeSession } from './decode-session.ts'
import { encodeSession } from './keep-answerable.ts'
import { baseOf, rememberBase, type SessionBase } from './session-base.ts'
import type { StoreSettings } from './store-options.ts'
import { TouchThrottle } from './touch-throttle.ts'

/**
 * express-session's sessions as records. The text that each session was read from is remembered beside it: `save` then
 * writes what changed since into whatever the record has become, and nothing at all when the session has ended meanwhile.
 */
export class StoredSessions implements Closeable {
  readonly #records: Records
  readonly #backend: SessionBackend
  readonly #settings: StoreSettings
  readonly #migration: Migration | undefined
  readonly #throttle: TouchThrottle

  /** `backend` is asked about all records at once, and must end each call by itself. */
  constructor(
    records: Records,
    backend: SessionBackend,
    settings: StoreSettings,
    migration?: Migration | undefined,
  ) {
    this.#records = records
    this.#backend = backend
    this.#settings = settings
    this.#migration = migration
    this.#throttle = new TouchThrottle(settings)
  }

  /** Undefined when its time is over, or when what is stored there is no session. */
  async read(id: string): Promise<SessionLike | undefined> {
    try {
      const found = this.#migration
        ? await this.#migration.find(id, id, () => this.#records.read(id))
        : await this.#records.read(id)
      if (!found) return undefined
      const { text, stored, moves } = found
      return this.#decode(id, text, moves.length === 0 ? stored : undefined)
    } catch (cause) {
      // An error would answer 500 to every request of this cookie until the record expires.
      if (!(cause instanceof InvalidSessionRecordError)) throw cause
      reportOnce('get', this.#settings, 'invalid', cause)
      return undefined
    }
  }

  /** One that was never read is written as it is. */
  async save(id: string, session: SessionLike): Promise<void> {
    const text = this.#encode(session)
    const ttlMs = this.#timeToLive(session)
    if (ttlMs < 1) return this.destroy(id)

    const base = this.#baseOf(id, session)
    const written = base
      ? await this.#records.change('set', id, {
          base: base.text,
          stored: base.stored,
          apply: (current) => mergeRecords(base.text, text, current),
          ttlMs: (result) => (result === text ? ttlMs : this.#timeToLive(decodeRecord(result))),
        })
      : await this.#records.create(id, text, ttlMs)
    if (written === 'gone') return
    const stored = this.#settings.sealer === unsealed ? text : undefined
    const { expires, originalMaxAge } = session.cookie ?? {}
    rememberBase(session, { id, text, stored, cookie: { ...session.cookie, expires, originalMaxAge } })
    this.#throttle.note(id, session)
  }

  /** Whether a touch can be left out: the last one was not long ago, and the cookie has not changed. */
  isFresh(id: string, session: SessionLike): boolean {
    const base = this.#baseOf(id, session)
    // Without a cookie, see `decodeSession`.
    if (!base?.cookie || !session.cookie || this.#throttle.isDue(id, session, base)) return false
    reportOnce('touch', this.#settings, 'fresh', undefined)
    return true
  }

  /** Moves the end of the session, stores its cookie, and writes nothing else. */
  async touch(id: string, session: SessionLike): Promise<void> {
    const base = this.#baseOf(id, session)
    const ttlMs = this.#timeToLive(session)
    if (ttlMs < 1) return this.destroy(id)

    const written = await this.#records.change('touch', id, {
      base: base?.text ?? '',
      stored: base?.stored,
      apply: (current) => replaceCookie(session.cookie, current),
      ttlMs: () => ttlMs,
    })
    if (written !== 'gone') this.#throttle.note(id, session)
  }

  async destroy(id: string): Promise<void> {
    await this.#records.destroy(id)
    await this.#migration?.end(id)
  }

  all(): Promise<(SessionLike & { id: string })[]> {
    return runOperation('all', this.#settings, async () => {
      const records = await this.#backend.all()
      return ['read', [...records].flatMap(([id, stored]) => this.#readable(id, stored))]
    })
  }

  length(): Promise<number> {
    return runOperation('length', this.#settings, async () => ['counted', await this.#backend.length()])
  }

  clear(): Promise<void> {
    return runOperation('clear', this.#settings, async () => ['cleared', await this.#backend.clear()])
  }

  async close(): Promise<void> {
    await this.#records.close()
  }

  #decode(id: string, text: string, stored: string | undefined): SessionLike {
    const session = decodeSession(text)
    rememberBase(session, { id, text, stored, cookie: session.cookie })
    return session
  }

  #readable(id: string, stored: string): (SessionLike & { id: string })[] {
    try {
      const text = this.#settings.sealer.open(id, stored)
      return isMark(text) ? [] : [{ ...this.#decode(id, text, stored), id }]
    } catch (cause) {
      if (cause instanceof InvalidSessionRecordError) return []
      throw cause
    }
  }

  /** Throws `SessionNotSerializableError` and `SessionTooLargeError`, and reports that nothing was saved. */
  #encode(session: SessionLike): string {
    try {
      const text = encodeSession(session)
      refuseOversize(text, this.#settings.maxBytes)
      return text
    } catch (cause) {
      reportOnce('set', this.#settings, 'failed', cause)
      throw cause
    }
  }

  /** A session that is saved under another id than its own is a new one there. */
  #baseOf(id: string, session: SessionLike): SessionBase | undefined {
    const base = baseOf(session)
    return base?.id === id ? base : undefined
  }

  #timeToLive(session: SessionLike): number {
    // An app may have saved one that it made itself; see `decodeSession`.
    if (!session.cookie) return this.#settings.ttlMs
    return timeToLive(session, this.#settings.ttlMs, this.#settings.clock.now())
  }
}
