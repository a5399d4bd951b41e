import type { SessionLike } from '../record.ts'
import { timeToLive } from '../time-to-live.ts'
import type { SessionBase } from './session-base.ts'
import type { StoreSettings } from './store-options.ts'

/** Beyond this many in one generation the sessions that rested longest are forgotten, and touched once more. */
const mostIds = 50_000

const flags = ['path', 'domain', 'secure', 'httpOnly', 'sameSite', 'partitioned', 'priority'] as const

/** What of a cookie is stored besides its times. */
type Flags = Partial<Record<(typeof flags)[number], unknown>>

/**
 * Decides whether a request that only read is to be written down. express-session touches the session at each of them,
 * and a second later its end has moved by a second: that is not worth a write.
 */
export class TouchThrottle {
  readonly #settings: StoreSettings
  /** When sessions were touched last whose records do not tell, in two generations. */
  #young = new Map<string, number>()
  #old = new Map<string, number>()

  constructor(settings: StoreSettings) {
    this.#settings = settings
  }

  /** `base`: what the session was read from. */
  isDue(id: string, session: SessionLike, base: SessionBase): boolean {
    const { cookie } = session
    if (this.#settings.sealer.isOutdated(base.stored ?? '') || isChanged(base.cookie, cookie)) return true
    const now = this.#settings.clock.now()
    const restMs = timeToLive(session, this.#settings.ttlMs, now)
    const touchAfterMs = this.#settings.touchAfterMs ?? Math.min(restMs / 1_000, 60_000)
    if (cookie.expires == null) return now - this.#touchedAt(id) >= touchAfterMs
    const movedMs = timeOf(cookie.expires) - timeOf(base.cookie.expires)
    return !(Math.abs(movedMs) < touchAfterMs)
  }

  /** The end of the session was moved just now. */
  note(id: string, session: SessionLike): void {
    if (session.cookie?.expires != null) return
    if (this.#young.size >= mostIds) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(id, this.#settings.clock.now())
  }

  #touchedAt(id: string): number {
    return this.#young.get(id) ?? this.#old.get(id) ?? Number.NEGATIVE_INFINITY
  }
}

/** express-session stores changes of the cookie by `touch` alone. It computes the age anew, to a millisecond or two. */
function isChanged(stored: SessionLike['cookie'], live: SessionLike['cookie']): boolean {
  const [was, is] = [stored.originalMaxAge, live.originalMaxAge]
  if (was == null || is == null ? (was ?? null) !== (is ?? null) : Math.abs(was - is) > 5) return true
  if ((stored.expires == null) !== (live.expires == null)) return true
  const [before, after] = [stored as Flags, live as Flags]
  return flags.some((flag) => before[flag] !== after[flag])
}

function timeOf(expires: Date | string | null | undefined): number {
  return new Date(expires ?? Number.NaN).getTime()
}
