import { type EncryptOptions, encryptionBytes, KeyRing } from '@stepladder/core'
import { InvalidSessionRecordError } from '../errors.ts'
import type { Sealer } from './sealer.ts'

const mark = 'sl1.'

/**
 * Records as `sl1.<id of the key>.<nonce, encrypted record and tag in base64url>`. Each is bound to the key that it is
 * stored under, prefix and all: one that was moved to another session's place, or to another app's, does not open there.
 */
export class EncryptedRecords implements Sealer {
  readonly #ring: KeyRing
  readonly #prefix: string
  /** How today's records begin. */
  readonly #head: string

  /** Throws `InvalidOptionError` or `UnknownOptionError` in the name of `owner`, with no key in them. */
  constructor(owner: string, prefix: string, options: EncryptOptions) {
    this.#ring = new KeyRing(owner, options)
    this.#prefix = prefix
    this.#head = `${mark}${this.#ring.keyId}.`
  }

  seal(key: string, text: string): string {
    const sealed = Buffer.allocUnsafe(Buffer.byteLength(text) + encryptionBytes)
    this.#ring.seal(sealed, text, this.#boundTo(key))
    return this.#head + sealed.toString('base64url')
  }

  open(key: string, stored: string): string {
    if (!stored.startsWith(mark)) return this.#plain(stored)
    // An id may hold dots, base64url does not.
    const end = stored.lastIndexOf('.')
    const keyId = stored.slice(mark.length, Math.max(mark.length, end))
    if (!this.#ring.knows(keyId)) {
      throw new InvalidSessionRecordError('it is encrypted with a key that is not among `encrypt.keys`')
    }
    try {
      const sealed = Buffer.from(stored.slice(end + 1), 'base64url')
      return this.#ring.open(keyId, sealed, this.#boundTo(key)).toString()
    } catch {
      throw new InvalidSessionRecordError('it was changed, or encrypted for another session')
    }
  }

  isOutdated(stored: string): boolean {
    return !stored.startsWith(this.#head)
  }

  #plain(stored: string): string {
    if (this.#ring.acceptsPlain) return stored
    throw new InvalidSessionRecordError('it is not encrypted, and `encrypt.acceptPlain` is not set')
  }

  /** No other use of the same keys can be mistaken for a session. */
  #boundTo(key: string): Buffer {
    return Buffer.from(`session:${this.#prefix}${key}`)
  }
}
