import { decodeCookie, readCookies } from './read-cookie.ts'
import type { Signer, Unsigned } from './signature.ts'

/** The session that a cookie names, and the key that it is kept under. */
export interface ShownSession extends Unsigned {
  readonly key: string
}

export interface CookieReaderOptions {
  /** The cookie's. */
  readonly name: string
  readonly signer: Signer
  readonly keyOf: (id: string) => string
}

/** So many cookies are remembered, and as many before them. */
const mostKnown = 5_000

/**
 * Finds out which session a `Cookie` header names. Cookies that were verified are remembered, since a browser sends the same
 * one with each request: that saves three hashes, a tenth of what a read costs. A guess learns nothing from it: what is
 * looked up in a hash table is the whole text of the cookie, its signature included.
 */
export class CookieReader {
  readonly #options: CookieReaderOptions
  #known = new Map<string, ShownSession>()
  #knownBefore = new Map<string, ShownSession>()

  constructor(options: CookieReaderOptions) {
    this.#options = options
  }

  /** Of several cookies of the name the first that is signed: others were put there for other paths, or by others. */
  read(header: string | undefined): ShownSession | undefined {
    if (header === undefined) return undefined
    for (const raw of readCookies(header, this.#options.name)) {
      const shown = this.#known.get(raw) ?? this.#verify(raw)
      if (shown) return shown
    }
    return undefined
  }

  #verify(raw: string): ShownSession | undefined {
    const shown = this.#knownBefore.get(raw) ?? this.#unsign(raw)
    if (!shown) return undefined
    if (this.#known.size >= mostKnown) {
      this.#knownBefore = this.#known
      this.#known = new Map()
    }
    this.#known.set(copyOf(raw), shown)
    return shown
  }

  #unsign(raw: string): ShownSession | undefined {
    const { signer, keyOf } = this.#options
    const value = decodeCookie(raw)
    const unsigned = value === undefined ? undefined : signer.unsign(value)
    return unsigned && { ...unsigned, key: keyOf(unsigned.id) }
  }
}

/** V8 would keep the whole header for a part of it. What was signed is ASCII. */
function copyOf(raw: string): string {
  return Buffer.from(raw, 'latin1').toString('latin1')
}
