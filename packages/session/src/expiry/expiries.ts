import { InvalidOptionError, type Timer } from '@stepladder/core'
import type { SessionBackend } from '../backend.ts'
import type { Events, SessionEvent } from '../events.ts'
import type { PlaceSettings } from '../options.ts'
import type { Records } from '../records.ts'
import type { SessionsSettings } from '../sessions-options.ts'
import type { ExpiryIndex } from './expiry-index.ts'

/** How often each process looks, give or take half of it, so that they do not look together. */
const lookEveryMs = 5_000
/** After as many at once it looks again without waiting. */
const mostAtOnce = 100

/**
 * Tells of sessions that ended because their time was over, each once, whichever process sees it first. A session is noted
 * once, at its begin: when it is due and still there, it is put off until its record ends.
 */
export class Expiries {
  readonly #index: ExpiryIndex
  readonly #records: Records
  readonly #events: Events
  readonly #clock: PlaceSettings['clock']
  #timer: Timer | undefined
  #isClosed = false

  constructor(index: ExpiryIndex, records: Records, events: Events, { clock }: PlaceSettings) {
    this.#index = index
    this.#records = records
    this.#events = events
    this.#clock = clock
    this.#lookLater()
  }

  async note(key: string, event: SessionEvent, ttlMs: number): Promise<void> {
    const about = JSON.stringify(event)
    await this.#records.run(
      'expiry-note',
      () => this.#index.note(key, about, ttlMs),
      () => 'noted',
    )
  }

  /** Whether it was noted still: else somebody has told of its end already. */
  forget(key: string): Promise<boolean> {
    return this.#records.run(
      'expiry-forget',
      () => this.#index.forget(key),
      (was) => (was ? 'forgotten' : 'gone'),
    )
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #lookLater(): void {
    if (this.#isClosed) return
    const inMs = lookEveryMs * (0.5 + Math.random())
    this.#timer = this.#clock.after(inMs, () => void this.#look()).unref()
  }

  async #look(): Promise<void> {
    try {
      let found = mostAtOnce
      while (found >= mostAtOnce && !this.#isClosed) {
        const abouts = await this.#records.ofAll('expire', () => this.#index.takeExpired(mostAtOnce))
        // What `note` has written, as it was.
        for (const about of abouts) this.#events.expired(JSON.parse(about) as SessionEvent)
        found = abouts.length
      }
    } catch {
      // It is reported, and tried again.
    } finally {
      this.#lookLater()
    }
  }
}

/** Undefined without the hook. Throws `InvalidOptionError` for a place that cannot tell what has expired. */
export function openExpiries(
  owner: string,
  { expiries }: SessionBackend,
  records: Records,
  events: Events,
  settings: SessionsSettings,
): Expiries | undefined {
  const { expired } = settings.hooks
  if (!expired) return undefined
  if (!expiries) {
    throw new InvalidOptionError(
      owner,
      'on',
      settings.hooks,
      'without `expired`: this `backend` has no `expiries`',
    )
  }
  return new Expiries(expiries, records, events, settings)
}
