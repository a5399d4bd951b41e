import { EventEmitter } from 'node:events'
import type { Closeable } from '@stepladder/core'
import { SessionUnavailableError } from '../errors.ts'
import type { SessionLike } from '../record.ts'
import { answer, type Callback } from './callback.ts'
import { keepAnswerable } from './keep-answerable.ts'
import { loadCreateSession } from './load-express-session.ts'
import { baseOf, rememberBase } from './session-base.ts'
import type { CreateSession, LiveSession, SessionRequest } from './session-classes.ts'
import type { StoredSessions } from './stored-sessions.ts'

/** What express-session's middleware gives its store: puts a new session on the request. */
type Generate = (request: SessionRequest) => void

/**
 * A store for express-session that loses no update and revives no session. The text that each session was
 * read from is remembered beside it: `set` then writes what changed since into whatever the record has
 * become, and nothing at all when the session was destroyed meanwhile.
 *
 * Each method calls back as express-session expects, or returns a promise when it gets no callback.
 * They fail with `SessionUnavailableError`; `set` and `touch` also with `SessionNotSerializableError`.
 */
export class SessionStore extends EventEmitter implements Closeable {
  readonly #name: string
  readonly #sessions: StoredSessions
  readonly #classes: Promise<CreateSession>
  #create: CreateSession | undefined
  #generate: Generate | undefined

  /** Apps call `sessionStore()`. `name` is told in errors. */
  constructor(sessions: StoredSessions, name: string) {
    super()
    this.#name = name
    this.#sessions = sessions
    this.#classes = loadCreateSession('sessionStore')
    // The first `get` hears of it; nobody may have asked yet.
    this.#classes.catch(() => {})
  }

  /** The session under `id`; undefined when its time is over, or when what is stored there is no session. */
  get<S extends SessionLike>(id: string): Promise<S | undefined>
  get<S extends SessionLike>(id: string, callback: (error: unknown, session?: S | null) => void): void
  get<S extends SessionLike>(id: string, callback?: Callback<S | undefined>): unknown {
    // Which fields the app keeps in its sessions, only the app knows.
    return answer(this.#get(id) as Promise<S | undefined>, callback)
  }

  /**
   * Saves the session. One that came from `get` is merged into what others have saved since, and dropped
   * when it is gone; any other is written as it is.
   */
  set(id: string, session: SessionLike): Promise<void>
  set(id: string, session: SessionLike, callback: ((error?: unknown) => void) | undefined): void
  set(id: string, session: SessionLike, callback?: Callback<void>): unknown {
    return answer(this.#sessions.save(id, session), callback)
  }

  /**
   * Lets the session rest anew and stores its cookie's new expiry; nothing else of it is written, and nothing at all
   * when that was done less than `touchAfter` ago.
   */
  touch(id: string, session: SessionLike): Promise<void>
  touch(id: string, session: SessionLike, callback: ((error?: unknown) => void) | undefined): void
  touch(id: string, session: SessionLike, callback?: Callback<void>): unknown {
    const touched = this.#sessions.isFresh(id, session) ? done : this.#sessions.touch(id, session)
    return answer(touched, callback)
  }

  /** Ends the session for good: no save or touch that is still on its way brings it back. */
  destroy(id: string): Promise<void>
  destroy(id: string, callback: ((error?: unknown) => void) | undefined): void
  destroy(id: string, callback?: Callback<void>): unknown {
    return answer(this.#sessions.destroy(id), callback)
  }

  /** Every session, with its id as `id`. Reads them all: for administration, not for requests. */
  all<S extends SessionLike>(): Promise<(S & { id: string })[]>
  all<S extends SessionLike>(callback: (error: unknown, sessions?: (S & { id: string })[]) => void): void
  all<S extends SessionLike>(callback?: Callback<(S & { id: string })[]>): unknown {
    // As with `get`, the app knows its fields.
    return answer(this.#sessions.all() as Promise<(S & { id: string })[]>, callback)
  }

  /** How many sessions there are. */
  length(): Promise<number>
  length(callback: (error: unknown, length?: number) => void): void
  length(callback?: Callback<number>): unknown {
    return answer(this.#sessions.length(), callback)
  }

  /** Destroys every session of this store's prefix. */
  clear(): Promise<void>
  clear(callback: ((error?: unknown) => void) | undefined): void
  clear(callback?: Callback<void>): unknown {
    return answer(this.#sessions.clear(), callback)
  }

  /** Destroys the request's session and puts a new one, with a new id, in its place. */
  regenerate(request: SessionRequest, callback: (error?: unknown) => unknown): void {
    this.destroy(request.sessionID, (error) => {
      this.#generate?.(request)
      callback(error)
    })
  }

  /** The live session under `id`, outside of any request: for a WebSocket, say. */
  load<S extends SessionLike>(id: string, callback: (error: unknown, session?: S) => unknown): void {
    this.get<S>(id, (error, session) => {
      if (error || !session) return callback(error)
      callback(null, this.createSession({ sessionID: id, sessionStore: this }, session))
    })
  }

  /** Called by express-session with the very object that `get` returned. */
  createSession<S extends SessionLike>(request: SessionRequest, session: S): S & LiveSession {
    if (!this.#create) {
      const cause = new Error('none was read before')
      throw new SessionUnavailableError(this.#name, 'create a session', cause)
    }
    const live = this.#create(request, session)
    const base = baseOf(session)
    if (base) rememberBase(live, base)
    keepAnswerable(live)
    return live
  }

  /** Set by express-session's middleware, and called by it for each new session. */
  get generate(): Generate | undefined {
    return this.#generate
  }

  set generate(generate: Generate) {
    this.#generate = (request) => {
      generate(request)
      // It has just put a session of its own making there.
      keepAnswerable(request.session as SessionLike & LiveSession)
    }
  }

  /** Lets go of what the store opened itself; the app's own client and database stay open. */
  async close(): Promise<void> {
    await this.#sessions.close()
  }

  #get(id: string): Promise<SessionLike | undefined> {
    return this.#create ? this.#sessions.read(id) : this.#firstGet(id)
  }

  async #firstGet(id: string): Promise<SessionLike | undefined> {
    this.#create = await this.#classes
    return this.#sessions.read(id)
  }
}

const done: Promise<void> = Promise.resolve()
