import type { RecordCookie } from '../record/session-record.ts'

/**
 * How long one session may rest, where it differs from `idleTimeout`: "remember me" sets `maxAge` to a month, and its
 * cookie outlives the browser.
 */
export class SessionCookie {
  #maxAgeMs: number | null

  constructor(found?: RecordCookie | undefined) {
    this.#maxAgeMs = found?.originalMaxAge ?? null
  }

  /** Takes over what the record says. */
  become({ originalMaxAge }: RecordCookie): void {
    this.#maxAgeMs = originalMaxAge ?? null
  }

  /** Milliseconds; null: as all sessions. */
  get maxAge(): number | null {
    return this.#maxAgeMs
  }

  set maxAge(ms: number | null | undefined) {
    if (ms != null && !(Number.isFinite(ms) && ms >= 0)) {
      throw new TypeError(`session.cookie.maxAge takes milliseconds or null, not ${String(ms)}`)
    }
    this.#maxAgeMs = ms ?? null
  }

  /** As `maxAge`; its name in express-session's records. */
  get originalMaxAge(): number | null {
    return this.#maxAgeMs
  }

  toJSON(): RecordCookie {
    return { originalMaxAge: this.#maxAgeMs }
  }
}
