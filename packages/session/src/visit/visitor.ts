import type { LoadOptions } from '../load-options.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { deviceOf } from '../users/device.ts'
import { isDue, keepListed, type Listing, type ListingNotes } from '../users/keep-listed.ts'
import type { KeptSession } from './kept-session.ts'
import type { Notes } from './note-book.ts'
import type { SessionCookie } from './session-cookie.ts'

/** Who makes a request: whose session it came with, and on what device. */
export class Visitor {
  readonly #parts: SessionsParts
  readonly #device: Notes | undefined
  #user: string | undefined

  constructor(parts: SessionsParts, fields: object | undefined, options: LoadOptions | undefined) {
    this.#parts = parts
    this.#device = deviceOf(parts.settings, options)
    if (fields) this.become(fields)
  }

  /** These are the session's fields from now on. Throws `InvalidSessionUserError`. */
  become(fields: object): void {
    this.#user = this.#parts.users?.userOf(fields)
  }

  /** Whether the session has become somebody else's: somebody logged in or out. */
  isOther(fields: object): boolean {
    const { users } = this.#parts
    return users !== undefined && users.userOf(fields) !== this.#user
  }

  /** Whether the session is not listed as what it is, or was listed long ago. */
  isListingDue(kept: KeptSession, cookie: SessionCookie): boolean {
    return this.#parts.users !== undefined && isDue(this.#parts, this.#listing(kept, cookie))
  }

  /** What the record of a session says of its user that begins with these fields. */
  beginWith(fields: object): Notes {
    const { users, settings } = this.#parts
    const user = users?.userOf(fields)
    if (user === undefined) return { ...this.#device }
    const now = settings.clock.now()
    return { ...this.#device, user, listed: now, login: now }
  }

  /** Writes a session that stays this user's, and keeps it listed. `write` is given what is to be noted with it. */
  keepListed<T>(
    kept: KeptSession,
    cookie: SessionCookie,
    write: (notes: Notes | undefined) => Promise<T>,
  ): Promise<T> {
    if (!this.#parts.users) return write(this.#device)
    const withDevice = (listed: ListingNotes | undefined) => this.#device || listed
    return keepListed(this.#parts, this.#listing(kept, cookie), (listed) =>
      write(withDevice(listed) && { ...this.#device, ...listed }),
    )
  }

  #listing(kept: KeptSession, cookie: SessionCookie): Listing {
    return {
      key: kept.key,
      meta: kept.meta,
      user: this.#user,
      ttlMs: kept.ttlMs(cookie),
      isLonger: kept.isOtherAge(cookie),
    }
  }
}
