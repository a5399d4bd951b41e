import { newSessionId } from '../cookie/session-id.ts'
import type { EndReason } from '../events.ts'
import type { LoadOptions } from '../load-options.ts'
import type { Fields, SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import type { Change } from './apply-change.ts'
import type { Changes } from './changes.ts'
import { type Found, KeptSession } from './kept-session.ts'
import { newMeta } from './new-record.ts'
import { NoteBook } from './note-book.ts'
import { replaceSession } from './replace-session.ts'
import type { LiveSession } from './session.ts'
import { SessionCookie } from './session-cookie.ts'
import { type Updating, updateSession } from './update-session.ts'
import { cookieHeader, isPersistent } from './visit-cookie.ts'
import { Visitor } from './visitor.ts'

/** The session that a request's cookie named. */
export interface FoundSession extends Found {
  readonly id: string
  /** The app's fields, and ours among them. */
  readonly fields: Fields
  /** What the browser has shown is not what it should show: its cookie is of an old secret, or an old id. */
  readonly isCookieDue: boolean
}

/** Keeps the session of one request in the store: begins, writes, moves and ends it there, and knows which cookie is due. */
export class Keeper {
  /** Undefined while it is not in the store. */
  kept: KeptSession | undefined
  cookie: SessionCookie
  readonly noteBook: NoteBook = new NoteBook()
  readonly #parts: SessionsParts
  readonly #visitor: Visitor
  #id: string | undefined
  #isCookieDue: boolean

  constructor(parts: SessionsParts, found: FoundSession | undefined, options: LoadOptions | undefined) {
    this.#parts = parts
    this.#visitor = new Visitor(parts, found?.fields, options)
    this.#id = found?.id
    this.kept = found && new KeptSession(parts, found)
    this.#isCookieDue = found?.isCookieDue ?? false
    this.cookie = new SessionCookie(found?.record.cookie)
  }

  get id(): string {
    this.#id ??= newSessionId()
    return this.#id
  }

  get meta(): SessionMeta {
    const meta = this.kept?.meta ?? newMeta(this.#parts)
    const { notes } = this.noteBook
    return notes ? { ...meta, ...notes } : meta
  }

  /** Whether the session should be written though nothing in it has changed. */
  get isTouchDue(): boolean {
    const { kept } = this
    return kept !== undefined && (kept.isTouchDue || this.#visitor.isListingDue(kept, this.cookie))
  }

  /** Undefined: the browser has the right one. */
  setCookie(): string | undefined {
    if (!this.#isCookieDue) return undefined
    return cookieHeader(this.#parts, this.id, this.kept?.meta, this.cookie)
  }

  /** Puts the session into the store, `data` being its fields as JSON. */
  async create(fields: object, data: string): Promise<KeptSession> {
    const { notes } = this.noteBook
    try {
      const all = { ...this.#visitor.beginWith(fields), ...notes }
      this.kept = await KeptSession.create(this.#parts, this.#parts.keyOf(this.id), this.cookie, data, all)
      this.#visitor.become(fields)
    } catch (failure) {
      // It may still come, after whatever this session has become by then: that must not be under the same id.
      this.#id = undefined
      throw failure
    }
    this.noteBook.strike(notes)
    this.#isCookieDue = true
    return this.kept
  }

  /** Writes what has changed, under a new id where the session has become another user's. */
  async write(kept: KeptSession, fields: object, { kind, data }: Changes): Promise<void> {
    if (kind === 'change' && this.#visitor.isOther(fields)) {
      return this.move(kept, this.cookie, fields, (former) => kept.merged(data, former))
    }
    const isOtherAge = kept.isOtherAge(this.cookie)
    const { notes } = this.noteBook
    const isThere = await this.#visitor.keepListed<boolean>(kept, this.cookie, (more) => {
      const all = more ? { ...notes, ...more } : notes
      return kind === 'change' ? kept.save(data, this.cookie, all) : kept.touch(this.cookie, all)
    })
    // What has ended needs no touch, and no change of it is lost.
    if (!isThere) return
    this.noteBook.strike(notes)
    if (isOtherAge || isPersistent(this.#parts, this.cookie)) this.#isCookieDue = true
  }

  /** Changes the session as it is in the store, and lets the live one become that. */
  async update<Result>(kept: KeptSession, session: LiveSession, change: Change<Result>): Promise<Result> {
    const { cookie } = this
    const write: Updating['write'] = (write) => this.#visitor.keepListed(kept, cookie, write)
    const move: Updating['move'] = (fields, dataFrom) => this.move(kept, cookie, fields, dataFrom)
    const updating = { kept, session, cookie, write, move }
    const result = await updateSession(this.#parts, updating, change)
    if (isPersistent(this.#parts, this.cookie)) this.#isCookieDue = true
    return result
  }

  /** Reads the session anew. */
  async reload(kept: KeptSession): Promise<Fields> {
    const fields = await kept.reload()
    this.#visitor.become(fields)
    this.cookie.become(kept.cookie)
    return fields
  }

  /** Lets the fields go on under a new id, and nobody do more under the old one: see `replaceSession`. */
  async move(
    former: KeptSession,
    cookie: SessionCookie,
    fields: object,
    dataFrom: (former: string) => string,
  ): Promise<void> {
    const id = newSessionId()
    const notes = { login: this.#parts.settings.clock.now(), ...this.#visitor.beginWith(fields) }
    this.kept = await replaceSession(this.#parts, former, { id, cookie, notes, dataFrom })
    this.#id = id
    this.cookie = cookie
    this.#isCookieDue = true
    this.noteBook.clear()
    this.#visitor.become(fields)
  }

  async end(reason: EndReason): Promise<void> {
    if (this.kept) {
      await this.kept.destroy(reason)
      await this.#parts.migration?.end(this.id)
      this.#isCookieDue = true
    }
    this.kept = undefined
    this.#id = undefined
    this.noteBook.clear()
    this.cookie = new SessionCookie()
  }
}
