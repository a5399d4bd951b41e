import { type CsrfOwner, csrfTokenOf } from '../csrf/csrf-token.ts'
import type { Fields } from '../record/session-record.ts'
import { answer, type Callback } from '../store/callback.ts'
import type { SessionCookie } from './session-cookie.ts'

/** What the app keeps in its sessions, for all of them: add your fields by module augmentation. */
// biome-ignore lint/suspicious/noEmptyInterface: an interface is what can be augmented
export interface SessionData {}

/** A session as handlers meet it: the app's fields, any of which may be missing, and what can be done with it. */
export type Session<Data extends object = SessionData> = SessionActions<Data> & Partial<Data>

export interface RegenerateOptions {
  /** Takes the fields along to the new session. Default false. */
  readonly keep?: boolean | undefined
}

/** What can be told of a session; times are milliseconds since the epoch. */
export interface SessionInfo {
  readonly createdAt: number
  readonly lastSeenAt: number
  /**
   * When somebody logged in: the last `regenerate`, or the last change of the user that `userOf` names. Undefined where there
   * was none, and where `userOf` says that nobody is logged in.
   */
  readonly authenticatedAt: number | undefined
  /** It is not in the store yet. */
  readonly isNew: boolean
  /** The store cannot be reached: this is an empty session, or one from memory, and saving a change of it fails. */
  readonly isReadOnly: boolean
  /** The store cannot be reached: these are the fields that this process saw last. */
  readonly isStale: boolean
}

/**
 * Each method answers by promise, or calls back where it is given a callback, as express-session does. They fail with
 * `SessionUnavailableError` when the store cannot be reached in time, and with `SessionEndedError` when the session was
 * ended by another request.
 */
export interface SessionActions<Data extends object> {
  /** What the cookie holds. Reading it makes a new session's id. */
  readonly id: string
  /** `maxAge` and `expires`, for this session alone. */
  readonly cookie: SessionCookie
  readonly info: SessionInfo
  /** Saves now what changed. The end of the response does that too. */
  save(): Promise<void>
  save(callback: (error?: unknown) => void): void
  /** Ends this session and puts a new one, with a new id, in its place: at every login. Resolves to the new one. */
  regenerate(options?: RegenerateOptions): Promise<Session<Data>>
  regenerate(callback: (error?: unknown) => void): void
  /** Ends this session for good: no save that is under way brings it back. */
  destroy(): Promise<void>
  destroy(callback: (error?: unknown) => void): void
  /** Reads the session anew; what this request changed and did not save is dropped. */
  reload(): Promise<void>
  reload(callback: (error?: unknown) => void): void
  /**
   * Changes the session as it is in the store now, however many requests do the same: nothing is lost. `change` may be
   * called several times, each time with the newest fields, and must not be async. What it returns is what is resolved to.
   */
  update<Result>(change: (fields: Partial<Data>) => Result): Promise<Result>
  /** Adds to the number at `path` (`'cart.count'`, missing is 0) in the store, and resolves to the sum. Default 1. */
  increment(path: string, by?: number): Promise<number>
  /**
   * A token for this session's forms and scripts, another each time: a request that brings it comes from a page of this app.
   * See `csrf()` and `checkCsrf`. A visitor without a session gets one. Throws `SessionEndedError`.
   */
  csrfToken(): string
  /** Lets the session rest anew, even if it was seen just now. */
  touch(): this
  /** As `touch`; its name in express-session. */
  resetMaxAge(): this
}

/** What a session asks for its methods: the request that it belongs to. */
export interface SessionOwner extends CsrfOwner {
  readonly cookie: SessionCookie
  readonly info: SessionInfo
  save(): Promise<void>
  regenerate(options: RegenerateOptions): Promise<LiveSession>
  destroy(): Promise<void>
  reload(): Promise<void>
  update<Result>(change: (fields: Fields) => Result): Promise<Result>
  increment(path: string, by: number): Promise<number>
  touch(): void
}

/** Behind the face of `Session`: own fields are the app's alone, so that `JSON.stringify` sees nothing else. */
export class LiveSession {
  readonly #owner: SessionOwner

  constructor(owner: SessionOwner) {
    this.#owner = owner
  }

  /** The request that a session belongs to. Not a WeakMap: the collector pays for each of its entries. */
  static ownerOf(session: object): SessionOwner | undefined {
    return #owner in session ? session.#owner : undefined
  }

  get id(): string {
    return this.#owner.id
  }

  get cookie(): SessionCookie {
    return this.#owner.cookie
  }

  get info(): SessionInfo {
    return this.#owner.info
  }

  /** An app may call a field of its own so: without a setter, its assignment would be lost in silence. */
  set info(value: unknown) {
    Object.defineProperty(this, 'info', { value, configurable: true, enumerable: true, writable: true })
  }

  get ['__proto__'](): object {
    return LiveSession.prototype
  }

  /** `Object.assign(session, request.body)` shall not make of the body what a session has inherited. */
  set ['__proto__'](_value: unknown) {}

  save(callback?: Callback<void>): unknown {
    return answer(this.#owner.save(), callback)
  }

  regenerate(options?: RegenerateOptions | Callback<unknown>): unknown {
    if (typeof options === 'function') return answer(this.#owner.regenerate({}), options)
    return answer(this.#owner.regenerate(options ?? {}), undefined)
  }

  destroy(callback?: Callback<void>): unknown {
    return answer(this.#owner.destroy(), callback)
  }

  reload(callback?: Callback<void>): unknown {
    return answer(this.#owner.reload(), callback)
  }

  update<Result>(change: (fields: Fields) => Result): Promise<Result> {
    return this.#owner.update(change)
  }

  increment(path: string, by: number = 1): Promise<number> {
    return this.#owner.increment(path, by)
  }

  csrfToken(): string {
    return csrfTokenOf(this.#owner)
  }

  touch(): this {
    this.#owner.touch()
    return this
  }

  resetMaxAge(): this {
    return this.touch()
  }
}
