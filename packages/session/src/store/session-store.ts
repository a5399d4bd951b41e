import { EventEmitter } from 'node:events'
import { type Closeable, Deadlines, type Waited } from '@stepladder/core'
import type { SessionBackend } from '../backend.ts'
import { InvalidSessionRecordError, SessionUnavailableError } from '../errors.ts'
import { mergeRecords, replaceCookie } from '../merge.ts'
import { type Ending, runOperation } from '../operation.ts'
import type { StoreSettings } from '../options.ts'
import { decodeRecord, type SessionLike } from '../record.ts'
import { timeToLive } from '../time-to-live.ts'
import { WriteLanes } from '../write-lanes.ts'
import { answer, type Callback } from './callback.ts'
import { withoutCookie } from './cookieless-record.ts'
import { encodeSession, keepAnswerable } from './keep-answerable.ts'
import {
  type CreateSession,
  type LiveSession,
  loadCreateSession,
  type SessionRequest,
} from './session-classes.ts'

/** What a session was read from: the record, and how that is stored, where that is known. */
interface Base {
  readonly id: string
  readonly text: string
  readonly stored: string | undefined
}

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
  readonly #settings: StoreSettings
  readonly #backend: SessionBackend
  readonly #lanes: WriteLanes
  readonly #deadlines: Deadlines
  /** The record that each session object was read from or saved as, and under which id. */
  readonly #bases = new WeakMap<SessionLike, Base>()
  readonly #classes: Promise<CreateSession>
  #create: CreateSession | undefined
  #generate: Generate | undefined

  /** Apps call `sessionStore()`. The backend must end each call within the timeout: see `bounded`. */
  constructor(backend: SessionBackend, settings: StoreSettings) {
    super()
    this.#settings = settings
    this.#backend = backend
    this.#lanes = new WriteLanes(backend, settings.sealer)
    this.#deadlines = new Deadlines(settings.timeoutMs, settings.clock)
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
    return answer(
      this.#run('set', () => this.#save(id, session)),
      callback,
    )
  }

  /** Lets the session rest anew and stores its cookie's new expiry; nothing else of it is written. */
  touch(id: string, session: SessionLike): Promise<void>
  touch(id: string, session: SessionLike, callback: ((error?: unknown) => void) | undefined): void
  touch(id: string, session: SessionLike, callback?: Callback<void>): unknown {
    return answer(
      this.#run('touch', () => this.#saveCookie(id, session)),
      callback,
    )
  }

  /** Ends the session for good: no save or touch that is still on its way brings it back. */
  destroy(id: string): Promise<void>
  destroy(id: string, callback: ((error?: unknown) => void) | undefined): void
  destroy(id: string, callback?: Callback<void>): unknown {
    return answer(
      this.#run('destroy', () => this.#end(id, 'destroyed')),
      callback,
    )
  }

  /** Every session, with its id as `id`. Reads them all: for administration, not for requests. */
  all<S extends SessionLike>(): Promise<(S & { id: string })[]>
  all<S extends SessionLike>(callback: (error: unknown, sessions?: (S & { id: string })[]) => void): void
  all<S extends SessionLike>(callback?: Callback<(S & { id: string })[]>): unknown {
    const sessions = this.#run('all', async () => {
      const records = await this.#backend.all()
      return ['read', [...records].flatMap(([id, stored]) => this.#readable(id, stored))]
    })
    // As with `get`, the app knows its fields.
    return answer(sessions as Promise<(S & { id: string })[]>, callback)
  }

  /** How many sessions there are. */
  length(): Promise<number>
  length(callback: (error: unknown, length?: number) => void): void
  length(callback?: Callback<number>): unknown {
    return answer(
      this.#run('length', async () => ['counted', await this.#backend.length()]),
      callback,
    )
  }

  /** Destroys every session of this store's prefix. */
  clear(): Promise<void>
  clear(callback: ((error?: unknown) => void) | undefined): void
  clear(callback?: Callback<void>): unknown {
    return answer(
      this.#run('clear', async () => ['cleared', await this.#backend.clear()]),
      callback,
    )
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
      throw new SessionUnavailableError(this.#settings.name, 'create a session', cause)
    }
    const live = this.#create(request, session)
    const base = this.#bases.get(session)
    if (base !== undefined) this.#bases.set(live, base)
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
    await this.#backend.close()
  }

  async #get(id: string): Promise<SessionLike | undefined> {
    this.#create ??= await this.#classes
    return this.#run('get', async () => {
      const stored = await this.#backend.get(id)
      return stored === undefined ? ['miss', undefined] : this.#decode(id, stored)
    })
  }

  #decode(id: string, stored: string): Ending<SessionLike | undefined> {
    try {
      const text = this.#settings.sealer.open(id, stored)
      const session = decodeRecord(text)
      this.#bases.set(session, { id, text, stored })
      return ['hit', session]
    } catch (cause) {
      if (!(cause instanceof InvalidSessionRecordError)) throw cause
      const bare = withoutCookie(stored)
      // An error would answer 500 to every request of this cookie until the record expires.
      return bare ? ['hit', bare] : ['invalid', undefined, cause]
    }
  }

  #readable(id: string, stored: string): (SessionLike & { id: string })[] {
    const [, session] = this.#decode(id, stored)
    return session ? [{ ...session, id }] : []
  }

  async #save(id: string, session: SessionLike): Promise<Ending<void>> {
    const text = encodeSession(session)
    const ttlMs = this.#timeToLive(session)
    if (ttlMs < 1) return this.#end(id, 'expired')

    const base = this.#baseOf(id, session)
    const apply = (current: string) => (base === undefined ? text : mergeRecords(base.text, text, current))
    const written = await this.#within('set', (waited) =>
      base === undefined
        ? this.#lanes.put(id, { text, ttlMs, waited })
        : this.#lanes.edit(id, { base: base.text, stored: base.stored, apply, ttlMs, waited }),
    )
    if (written !== 'gone') this.#bases.set(session, { id, text, stored: undefined })
    return [written, undefined]
  }

  async #saveCookie(id: string, session: SessionLike): Promise<Ending<void>> {
    const ttlMs = this.#timeToLive(session)
    if (ttlMs < 1) return this.#end(id, 'expired')

    const base = this.#baseOf(id, session)
    const apply = (current: string) => replaceCookie(session.cookie, current)
    const written = await this.#within('touch', (waited) =>
      this.#lanes.edit(id, { base: base?.text, stored: base?.stored, apply, ttlMs, waited }),
    )
    return [written === 'gone' ? written : 'touched', undefined]
  }

  /** A session that is saved under another id than its own is a new one there. */
  #baseOf(id: string, session: SessionLike): Base | undefined {
    const base = this.#bases.get(session)
    return base?.id === id ? base : undefined
  }

  async #end(id: string, outcome: string): Promise<Ending<void>> {
    await this.#within('destroy', () => this.#lanes.destroy(id))
    return [outcome, undefined]
  }

  #timeToLive(session: SessionLike): number {
    // An app may have saved one that it made itself; see `withoutCookie`.
    if (!session.cookie) return this.#settings.ttlMs
    return timeToLive(session, this.#settings.ttlMs, this.#settings.clock.now())
  }

  /** One write may be several calls to the backend, and wait for others: together they have one timeout. */
  #within<T>(what: string, task: (waited: Waited) => Promise<T>): Promise<T> {
    return this.#deadlines.run(what, task)
  }

  #run<T>(operation: string, task: () => Promise<Ending<T>>): Promise<T> {
    return runOperation(operation, this.#settings, task)
  }
}
