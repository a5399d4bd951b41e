import { type Closeable, InvalidOptionError } from '@stepladder/core'
import type { ShownSession } from './cookie/cookie-reader.ts'
import { InvalidSessionRecordError, InvalidSessionUserError, SessionUnavailableError } from './errors.ts'
import type { LoadOptions } from './load-options.ts'
import { reportOnce } from './operation.ts'
import type { ReadRecord } from './record/session-record.ts'
import { beginVisit } from './rotation/rotation.ts'
import type { SessionsSettings } from './sessions-options.ts'
import type { SessionsParts } from './sessions-parts.ts'
import { clearSessions } from './users/clear-sessions.ts'
import { endSession } from './users/end-session.ts'
import { readUser } from './users/read-user.ts'
import { UserSessions } from './users/user-sessions.ts'
import { lastSeenSession, type ReadSession, readSession } from './visit/read-session.ts'
import type { Session, SessionData } from './visit/session.ts'
import { Visit, visitOf } from './visit/visit.ts'

/**
 * Sessions for any framework: `load` what the request's cookie names, let the app change it, and `commit` before
 * the response's headers go. `@stepladder/session/express` does that for Express.
 */
export class Sessions<Data extends object = SessionData> implements Closeable {
  readonly #parts: SessionsParts

  /** Apps call `createSessions()`. */
  constructor(parts: SessionsParts) {
    this.#parts = parts
  }

  /** For adapters: what the options said. */
  get settings(): SessionsSettings {
    return this.#parts.settings
  }

  /**
   * The session that a `Cookie` header names; a new and empty one where it names none, or none that is alive. Without a
   * cookie of ours it asks nobody. Rejects with `SessionUnavailableError` where `onOutage` is `'fail'`.
   */
  async load(cookieHeader: string | null | undefined, options?: LoadOptions): Promise<Session<Data>> {
    const { session } = await this.visit(cookieHeader, options)
    // A visit begins with a session; which fields the app keeps in it, only the app knows.
    return session as unknown as Session<Data>
  }

  /**
   * Saves what was changed in the session, and resolves to the `Set-Cookie` header that the response needs, if any. A new
   * session without fields is not saved. Rejects with `SessionUnavailableError`, `SessionEndedError`,
   * `SessionNotSerializableError` or `SessionTooLargeError`; nothing was saved then.
   */
  async commit(session: Session<Data>): Promise<string | undefined> {
    const visit = visitOf(session)
    if (!visit) throw new TypeError('sessions.commit takes what sessions.load resolved to')
    await visit.commit(visit.isBusy ? undefined : visit.changes())
    return visit.setCookie()
  }

  /** `load` for adapters: at once where nobody has to be asked. */
  visit(cookieHeader: string | null | undefined, options?: LoadOptions): Visit | Promise<Visit> {
    const shown = this.#parts.cookies.read(cookieHeader ?? undefined)
    return shown ? this.#look(shown, options) : new Visit(this.#parts, undefined, options)
  }

  /**
   * The sessions of a user, as `userOf` names users. Throws `InvalidOptionError` without that option, and
   * `InvalidSessionUserError` for what names nobody.
   */
  of(user: string | number): UserSessions {
    const { users } = this.#parts
    if (!users)
      throw new InvalidOptionError('createSessions', 'userOf', undefined, 'a function, for `sessions.of`')
    const name = readUser(user)
    if (name === undefined) throw new InvalidSessionUserError('`sessions.of` was given no user')
    return new UserSessions(this.#parts, users, name, (session) => visitOf(session)?.key)
  }

  /** Ends every session of everybody. */
  async clear(): Promise<void> {
    await clearSessions(this.#parts)
  }

  /** Lets go of what was opened; the app's own client and database stay open. */
  async close(): Promise<void> {
    this.#parts.expiries?.close()
    await this.#parts.records.close()
  }

  async #look(shown: ShownSession, options: LoadOptions | undefined): Promise<Visit> {
    const { records, migration } = this.#parts
    const isFresh = options?.fresh ?? false
    try {
      const found = migration
        ? await migration.find(shown.id, shown.key, () => records.read(shown.key, isFresh))
        : await records.read(shown.key, isFresh)
      const session = found && readSession(this.#parts, found, shown)
      if (!session) return new Visit(this.#parts, undefined, options)
      if (this.#isOver(session.record)) return await this.#end(session, options)
      const visit = beginVisit(this.#parts, session, options)
      return visit instanceof Promise ? await visit : visit
    } catch (failure) {
      return this.#withoutRecord(failure, shown, options)
    }
  }

  async #end({ key, record }: ReadSession, options: LoadOptions | undefined): Promise<Visit> {
    await endSession(this.#parts, { key, user: record.meta.user }, 'expired')
    return new Visit(this.#parts, undefined, options)
  }

  #isOver({ cookie, meta }: ReadRecord): boolean {
    const { clock, idleMs, absoluteMs } = this.#parts.settings
    const now = clock.now()
    const mayRestMs = cookie.originalMaxAge ?? idleMs
    return now - meta.created >= absoluteMs || (meta.seen > 0 && now - meta.seen >= mayRestMs)
  }

  #withoutRecord(failure: unknown, shown: ShownSession, options: LoadOptions | undefined): Visit {
    if (failure instanceof SessionUnavailableError) return this.#withoutStore(failure, shown)
    // A spoilt record is no session: an error would answer every request of its cookie, until it expires.
    if (!(failure instanceof InvalidSessionRecordError)) throw failure
    reportOnce('get', this.#parts.settings, 'invalid', failure)
    return new Visit(this.#parts, undefined, options)
  }

  #withoutStore(failure: SessionUnavailableError, shown: ShownSession): Visit {
    const { onOutage } = this.#parts.settings
    if (onOutage === 'fail') throw failure
    if (onOutage === 'anonymous') return Visit.away(this.#parts, failure)
    const found = lastSeenSession(this.#parts, shown)
    if (!found || this.#isOver(found.record)) throw failure
    return Visit.away(this.#parts, failure, found)
  }
}
