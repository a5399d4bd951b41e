import { newSessionId } from '../cookie/session-id.ts'
import { clearCookie, setCookie } from '../cookie/set-cookie.ts'
import { SessionEndedError, type SessionUnavailableError } from '../errors.ts'
import type { Fields } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { addAt } from './add-at.ts'
import { encodeFields } from './encode-fields.ts'
import { type Found, KeptSession, newMeta, ttlMs } from './kept-session.ts'
import {
  dropFields,
  LiveSession,
  putFields,
  type RegenerateOptions,
  type SessionInfo,
  type SessionOwner,
} from './session.ts'
import { SessionCookie } from './session-cookie.ts'

/** What a request left to be saved. */
export interface Changes {
  readonly kind: 'create' | 'change' | 'touch'
  /** The app's fields as JSON. */
  readonly data: string
}

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
  /** Operations of one visit go one after the other. */
  #turn: Promise<unknown> | undefined

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
    const { created, seen } = this.#kept?.meta ?? newMeta(this.#parts)
    const isReadOnly = this.#away !== undefined
    const isStale = isReadOnly && this.#kept !== undefined
    return { createdAt: created, lastSeenAt: seen, isNew: this.#kept === undefined, isReadOnly, isStale }
  }

  /** Whether an operation is under way, so that what there is to save is not known yet. */
  get isBusy(): boolean {
    return this.#turn !== undefined
  }

  /**
   * What is to be saved; undefined: nothing, so that the request can be answered at once.
   * Throws `SessionNotSerializableError` and `SessionTooLargeError`.
   */
  changes(): Changes | undefined {
    const { session } = this
    const kept = this.#kept
    if (!session || (!kept && !hasFields(session))) return undefined
    const data = encodeFields(session, this.#parts.settings.maxBytes)
    if (!kept) return { kind: 'create', data }
    if (kept.isOtherThan(data, this.cookie)) return { kind: 'change', data }
    if (this.#away) return undefined
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
    return this.#inTurn(() => this.#save(this.changes()))
  }

  /** Saves what `changes` has found. */
  commit(changes: Changes | undefined): Promise<void> {
    return this.isBusy ? this.save() : this.#inTurn(() => this.#save(changes))
  }

  regenerate({ keep = false }: RegenerateOptions): Promise<LiveSession> {
    return this.#inTurn(async () => {
      const { session: old } = this
      await this.#end()
      const fresh = this.#live(keep && old ? { ...old } : undefined)
      this.#replace(fresh)
      return fresh
    })
  }

  destroy(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#end()
      this.#replace(undefined)
    })
  }

  reload(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#away) throw this.#away
      if (!this.#kept) throw new SessionEndedError()
      this.#adopt(await this.#kept.reload(), this.#kept)
    })
  }

  update<Result>(change: (fields: Fields) => Result): Promise<Result> {
    return this.#inTurn(async () => {
      const changes = this.changes()
      if (changes?.kind !== 'touch') await this.#save(changes)
      if (this.#away) throw this.#away
      // A session without fields is nowhere yet, so that it has to be put there to be counted on.
      this.#kept ??= await this.#create('{}')
      const [result, fields] = await this.#kept.update(change, this.cookie)
      this.#adopt(fields, this.#kept)
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
    if (this.#away) throw this.#away
    const kept = this.#kept
    if (!kept) {
      this.#kept = await this.#create(changes.data)
      return
    }
    const isOtherAge = kept.isOtherAge(this.cookie)
    if (changes.kind === 'change') await kept.save(changes.data, this.cookie)
    // What has ended needs no touch, and no change of it is lost.
    else if (!(await kept.touch(this.cookie))) return
    this.#isTouched = false
    if (isOtherAge || this.#browserKeepsMs() !== undefined) this.#isCookieDue = true
  }

  async #create(data: string): Promise<KeptSession> {
    const kept = await KeptSession.create(this.#parts, this.#parts.keyOf(this.id), this.cookie, data)
    this.#isCookieDue = true
    return kept
  }

  async #end(): Promise<void> {
    if (this.#away) throw this.#away
    if (this.#kept) {
      await this.#kept.destroy()
      this.#isCookieDue = true
    }
    this.#kept = undefined
    this.#id = undefined
    this.cookie = new SessionCookie()
  }

  #adopt(fields: Fields, { cookie }: KeptSession): void {
    this.cookie = new SessionCookie(cookie)
    if (!this.session) return
    dropFields(this.session)
    putFields(this.session, fields)
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

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#turn ? this.#turn.then(task, task) : task()
    this.#turn = turn
    const done = () => {
      if (this.#turn === turn) this.#turn = undefined
    }
    turn.then(done, done)
    return turn
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

function hasFields(session: object): boolean {
  for (const _name in session) return true
  return false
}
