import { newSessionId } from '../cookie/session-id.ts'
import { clearCookie, setCookie } from '../cookie/set-cookie.ts'
import { SessionEndedError, type SessionUnavailableError } from '../errors.ts'
import type { Fields, SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { addAt } from './add-at.ts'
import type { Changes } from './changes.ts'
import { encodeFields, refuseOversize } from './encode-fields.ts'
import { type Found, KeptSession, newMeta, ttlMs } from './kept-session.ts'
import { becomeFields, hasFields, putFields, refuseReserved } from './live-fields.ts'
import { NoteBook, type Notes } from './note-book.ts'
import { LiveSession, type RegenerateOptions, type SessionInfo, type SessionOwner } from './session.ts'
import { SessionCookie } from './session-cookie.ts'
import { Turns } from './turns.ts'
import { updateSession } from './update-session.ts'

/** The session that a request's cookie named. */
export interface FoundSession extends Found {
  readonly id: string
  /** The app's fields, and ours among them. */
  readonly fields: Fields
  /** Its cookie is signed with a secret that signs no more. */
  readonly isOldSecret: boolean
}

/**
 * One request and its session:
 *
 *     new ──first save──▶ kept ──destroy──▶ ended
 *      ▲                   │
 *      └───regenerate──────┘            away: the store cannot be reached, so nothing of it is saved
 */
export class Visit implements SessionOwner {
  /** What `request.session` is; undefined once it was destroyed. */
  session: LiveSession | undefined
  /** Called with each session that takes the place of the former. */
  onReplace: (session: LiveSession | undefined) => void = () => {}
  cookie: SessionCookie
  readonly #parts: SessionsParts
  #id: string | undefined
  #kept: KeptSession | undefined
  #away: SessionUnavailableError | undefined
  #isCookieDue: boolean
  #isTouched = false
  readonly #turns = new Turns()
  readonly #noteBook = new NoteBook()

  constructor(parts: SessionsParts, found?: FoundSession | undefined) {
    this.#parts = parts
    this.#id = found?.id
    this.#kept = found && new KeptSession(parts, found)
    this.#isCookieDue = found?.isOldSecret ?? false
    this.cookie = new SessionCookie(found?.record.cookie)
    this.session = this.#live(found?.fields)
  }

  /** A visit while the store cannot be reached: whatever it changes fails with `reason`. */
  static away(parts: SessionsParts, reason: SessionUnavailableError, found?: FoundSession): Visit {
    const visit = new Visit(parts, found)
    visit.#away = reason
    return visit
  }

  get id(): string {
    this.#id ??= newSessionId()
    return this.#id
  }

  get info(): SessionInfo {
    const { created, seen, login } = this.meta
    const isReadOnly = this.#away !== undefined
    const isStale = isReadOnly && this.#kept !== undefined
    const isNew = this.#kept === undefined
    return { createdAt: created, lastSeenAt: seen, authenticatedAt: login, isNew, isReadOnly, isStale }
  }

  get meta(): SessionMeta {
    const meta = this.#kept?.meta ?? newMeta(this.#parts)
    const { notes } = this.#noteBook
    return notes ? { ...meta, ...notes } : meta
  }

  /** Says more of the session in its record: with the next write, which it brings about itself where it `isDue`. */
  note(notes: Notes, isDue: boolean): void {
    this.#noteBook.add(notes, isDue)
  }

  /** Whether an operation is under way, so that what there is to save is not known yet. */
  get isBusy(): boolean {
    return this.#turns.isBusy
  }

  /**
   * What is to be saved; undefined: nothing, so that the request can be answered at once.
   * Throws `SessionNotSerializableError` and `SessionTooLargeError`.
   */
  changes(): Changes | undefined {
    if (this.#turns.unended !== undefined) return { kind: 'change', data: '{}' }
    const { session } = this
    const kept = this.#kept
    if (!session || (!kept && !this.#noteBook.isDue && !hasFields(session))) return undefined
    const data = encodeFields(session)
    if (this.#noteBook.isDue || (kept ? kept.isOtherThan(data, this.cookie) : data !== '{}')) {
      refuseReserved(session, data)
      refuseOversize(data, this.#parts.settings.maxBytes)
      return { kind: kept ? 'change' : 'create', data }
    }
    if (this.#away || !kept) return undefined
    return this.#isTouched || kept.isTouchDue ? { kind: 'touch', data } : undefined
  }

  /** The `Set-Cookie` header that the response must carry, if any; ask when all is saved. */
  setCookie(): string | undefined {
    const { cookie, signer } = this.#parts
    if (!this.#isCookieDue) return undefined
    return this.#kept ? setCookie(cookie, signer.sign(this.id), this.#browserKeepsMs()) : clearCookie(cookie)
  }

  /** Saves what `changes` finds once nothing is under way any more. */
  save(): Promise<void> {
    return this.#turns.take(async () => this.#save(this.changes()))
  }

  /** Saves what `changes` has found, at the end of the request. */
  commit(changes: Changes | undefined): Promise<void> {
    if (!this.isBusy) return this.#turns.take(() => this.#save(changes))
    return this.#turns.last(() => this.#save(this.changes()))
  }

  regenerate({ keep = false }: RegenerateOptions): Promise<LiveSession> {
    return this.#turns.end(async () => {
      const kept = keep && this.session
      // What is no JSON must be heard of before anything has ended.
      if (kept) encodeFields(kept)
      await this.#end()
      // The copy is as the next request would find it: it shares no object with the session that is over.
      const fresh = this.#live(kept ? JSON.parse(encodeFields(kept)) : undefined)
      this.note({ login: this.#parts.settings.clock.now() }, false)
      this.#replace(fresh)
      return fresh
    })
  }

  destroy(): Promise<void> {
    return this.#turns.end(async () => {
      await this.#end()
      this.#replace(undefined)
    })
  }

  reload(): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#away) throw this.#away
      if (!this.#kept || !this.session) throw new SessionEndedError()
      const fields = await this.#kept.reload()
      this.cookie.become(this.#kept.cookie)
      becomeFields(this.session, fields)
    })
  }

  update<Result>(change: (fields: Fields) => Result): Promise<Result> {
    return this.#turns.update(async () => {
      if (!this.session) throw new SessionEndedError()
      const changes = this.changes()
      if (changes?.kind !== 'touch') await this.#save(changes)
      if (this.#away) throw this.#away
      // A session without fields is nowhere yet, so that it has to be put there to be counted on.
      const kept = this.#kept ?? (await this.#create('{}'))
      const result = await updateSession(kept, this.session, this.cookie, change)
      if (this.#browserKeepsMs() !== undefined) this.#isCookieDue = true
      return result
    })
  }

  increment(path: string, by: number): Promise<number> {
    return this.update((fields) => addAt(fields, path, by))
  }

  touch(): void {
    this.#isTouched = true
  }

  async #save(changes: Changes | undefined): Promise<void> {
    if (!changes) return
    const reason = this.#away ?? this.#turns.unended
    if (reason !== undefined) throw reason
    const kept = this.#kept
    if (!kept) {
      await this.#create(changes.data)
      return
    }
    const isOtherAge = kept.isOtherAge(this.cookie)
    const { notes } = this.#noteBook
    if (changes.kind === 'change') await kept.save(changes.data, this.cookie, notes)
    // What has ended needs no touch, and no change of it is lost.
    else if (!(await kept.touch(this.cookie, notes))) return
    this.#noteBook.strike(notes)
    this.#isTouched = false
    if (isOtherAge || this.#browserKeepsMs() !== undefined) this.#isCookieDue = true
  }

  async #create(data: string): Promise<KeptSession> {
    const { notes } = this.#noteBook
    try {
      this.#kept = await KeptSession.create(this.#parts, this.#parts.keyOf(this.id), this.cookie, data, notes)
    } catch (failure) {
      // It may still come, after whatever this session has become by then: that must not be under the same id.
      this.#id = undefined
      throw failure
    }
    this.#noteBook.strike(notes)
    this.#isCookieDue = true
    return this.#kept
  }

  async #end(): Promise<void> {
    if (this.#away) throw this.#away
    if (this.#kept) {
      await this.#kept.destroy()
      this.#isCookieDue = true
    }
    this.#kept = undefined
    this.#id = undefined
    this.#noteBook.clear()
    this.cookie = new SessionCookie()
  }

  #live(fields: Fields | undefined): LiveSession {
    const session = new LiveSession(this)
    if (fields) putFields(session, fields)
    return session
  }

  #replace(session: LiveSession | undefined): void {
    this.session = session
    this.onReplace(session)
  }

  /** How long the browser keeps the cookie; undefined: until it is closed. */
  #browserKeepsMs(): number | undefined {
    const isKept = this.cookie.maxAge !== null || this.#parts.cookie.isPersistent
    return isKept ? ttlMs(this.#parts, this.cookie, this.#kept?.meta ?? newMeta(this.#parts)) : undefined
  }
}

/** The visit that a session belongs to. */
export function visitOf(session: object): Visit | undefined {
  const owner = LiveSession.ownerOf(session)
  return owner instanceof Visit ? owner : undefined
}
