import { reportOnce } from './operation.ts'
import type { PlaceSettings } from './options.ts'

/** A session that was begun or has ended. Its fields are not told: those of an expired one are gone. */
export interface SessionEvent {
  /** As in `sessions.of(user).list()`. */
  readonly handle: string
  /** What `userOf` returned; undefined: it was nobody's. */
  readonly user: string | undefined
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/**
 * Why a session was ended: `destroy()`; a new id took its place at `regenerate()` or as its user changed; `revoke`,
 * `revokeAll`, `revokeOthers` or `clear`; its user has too many; or a request found that its time was over.
 */
export type EndReason = 'logout' | 'regenerate' | 'revoked' | 'limit' | 'expired'

export interface EndedSessionEvent extends SessionEvent {
  readonly reason: EndReason
}

/** Called where it happens, once per session over all processes; a hook that throws or rejects is reported. */
export interface SessionHooks {
  /** It is in the store, and its cookie is about to be sent. */
  readonly created?: ((event: SessionEvent) => unknown) | undefined
  /** Somebody has ended it. */
  readonly destroyed?: ((event: EndedSessionEvent) => unknown) | undefined
  /**
   * Its time was over, and nobody asked for it any more: within some seconds, as long as a process of the app runs. All
   * processes must have the hook; each session costs two commands more.
   */
  readonly expired?: ((event: SessionEvent) => unknown) | undefined
}

/** Calls the app's hooks. */
export class Events {
  readonly #hooks: SessionHooks
  readonly #settings: PlaceSettings

  constructor(hooks: SessionHooks, settings: PlaceSettings) {
    this.#hooks = hooks
    this.#settings = settings
  }

  get hearsDestroyed(): boolean {
    return this.#hooks.destroyed !== undefined
  }

  created(event: SessionEvent): void {
    this.#call(this.#hooks.created, event)
  }

  destroyed(event: EndedSessionEvent): void {
    this.#call(this.#hooks.destroyed, event)
  }

  expired(event: SessionEvent): void {
    this.#call(this.#hooks.expired, event)
  }

  /** The request goes on, whatever the hook does: it is told of what has happened already. */
  #call<Event>(hook: ((event: Event) => unknown) | undefined, event: Event): void {
    if (!hook) return
    const fail = (cause: unknown) => reportOnce('hook', this.#settings, 'failed', cause)
    try {
      const answer = hook(event)
      if (answer instanceof Promise) answer.catch(fail)
    } catch (cause) {
      fail(cause)
    }
  }
}
