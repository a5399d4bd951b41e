import { SessionEndedError, type SessionUnavailableError } from '../errors.ts'
import type { LoadOptions } from '../load-options.ts'
import type { Fields, SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { addAt } from './add-at.ts'
import { type Changes, findChanges } from './changes.ts'
import { encodeFields } from './encode-fields.ts'
import { type FoundSession, Keeper } from './keeper.ts'
import { becomeFields, putFields } from './live-fields.ts'
import type { Notes } from './note-book.ts'
import { LiveSession, type RegenerateOptions, type SessionInfo, type SessionOwner } from './session.ts'
import { SessionCookie } from './session-cookie.ts'
import { Turns } from './turns.ts'

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
  /** Where each session that takes the place of the former is put. Not a callback: V8 kept every closure, and its request. */
  place: { session?: unknown } | undefined
  readonly #parts: SessionsParts
  readonly #keeper: Keeper
  readonly #turns = new Turns()
  #away: SessionUnavailableError | undefined
  #isTouched = false

  constructor(parts: SessionsParts, found?: FoundSession | undefined, options?: LoadOptions | undefined) {
    this.#parts = parts
    this.#keeper = new Keeper(parts, found, options)
    this.session = this.#live(found?.fields)
  }

  /** A visit while the store cannot be reached: whatever it changes fails with `reason`. */
  static away(parts: SessionsParts, reason: SessionUnavailableError, found?: FoundSession): Visit {
    const visit = new Visit(parts, found)
    visit.#away = reason
    return visit
  }

  get id(): string {
    return this.#keeper.id
  }

  /** What the session is kept under; undefined while it is not in the store. */
  get key(): string | undefined {
    return this.#keeper.kept?.key
  }

  get cookie(): SessionCookie {
    return this.#keeper.cookie
  }

  get info(): SessionInfo {
    const { created, seen, login, user } = this.meta
    // A logout replaces the id too: nobody has logged in by that.
    const authenticatedAt = this.#parts.users && user === undefined ? undefined : login
    const isReadOnly = this.#away !== undefined
    const isNew = this.#keeper.kept === undefined
    const isStale = isReadOnly && !isNew
    return { createdAt: created, lastSeenAt: seen, authenticatedAt, isNew, isReadOnly, isStale }
  }

  get meta(): SessionMeta {
    return this.#keeper.meta
  }

  /** Says more of the session in its record: with the next write, which it brings about itself where it `isDue`. */
  note(notes: Notes, isDue: boolean): void {
    this.#keeper.noteBook.add(notes, isDue)
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
    if (!session) return undefined
    const { kept, cookie, noteBook, isTouchDue } = this.#keeper
    const { maxBytes } = this.#parts.settings
    const changes = findChanges({ session, kept, cookie, isNoteDue: noteBook.isDue, maxBytes })
    if (changes?.kind !== 'touch') return changes
    return !this.#away && (this.#isTouched || isTouchDue) ? changes : undefined
  }

  /** The `Set-Cookie` header that the response must carry, if any; ask when all is saved. */
  setCookie(): string | undefined {
    return this.#keeper.setCookie()
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
      this.#mustBeHere()
      // What is no JSON must be heard of before anything has ended.
      const data = keep && this.session ? encodeFields(this.session) : '{}'
      const { kept } = this.#keeper
      const fields = JSON.parse(data)
      if (keep && kept) {
        await this.#keeper.move(kept, new SessionCookie(), fields, (former) => kept.merged(data, former))
      } else {
        await this.#keeper.end('regenerate')
        this.note({ login: this.#parts.settings.clock.now() }, false)
      }
      // The copy is as the next request would find it: it shares no object with the session that is over.
      const fresh = this.#live(fields)
      this.#replace(fresh)
      return fresh
    })
  }

  destroy(): Promise<void> {
    return this.#turns.end(async () => {
      this.#mustBeHere()
      await this.#keeper.end('logout')
      this.#replace(undefined)
    })
  }

  reload(): Promise<void> {
    return this.#turns.take(async () => {
      this.#mustBeHere()
      const { kept } = this.#keeper
      if (!kept || !this.session) throw new SessionEndedError()
      becomeFields(this.session, await this.#keeper.reload(kept))
    })
  }

  update<Result>(change: (fields: Fields) => Result): Promise<Result> {
    return this.#turns.update(async () => {
      const { session } = this
      if (!session) throw new SessionEndedError()
      const changes = this.changes()
      if (changes?.kind !== 'touch') await this.#save(changes)
      this.#mustBeHere()
      // A session without fields is nowhere yet, so that it has to be put there to be counted on.
      const kept = this.#keeper.kept ?? (await this.#keeper.create(session, '{}'))
      return this.#keeper.update(kept, session, change)
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
    this.#mustBeHere()
    const { session } = this
    if (!session || this.#turns.unended !== undefined) throw this.#turns.unended
    const { kept } = this.#keeper
    if (kept) await this.#keeper.write(kept, session, changes)
    else await this.#keeper.create(session, changes.data)
    this.#isTouched = false
  }

  #mustBeHere(): void {
    if (this.#away) throw this.#away
  }

  #live(fields: Fields | undefined): LiveSession {
    const session = new LiveSession(this)
    if (fields) putFields(session, fields)
    return session
  }

  #replace(session: LiveSession | undefined): void {
    this.session = session
    if (this.place) this.place.session = session
  }
}

/** The visit that a session belongs to. */
export function visitOf(session: object): Visit | undefined {
  const owner = LiveSession.ownerOf(session)
  return owner instanceof Visit ? owner : undefined
}
