import { type EncryptionKey, type EncryptOptions, encryptionBytes, KeyRing } from '@stepladder/core'
import { UnreadableRecordError } from '../errors.ts'
import type { ReadFrame } from './header.ts'

export type { EncryptionKey, EncryptOptions }
export { encryptionBytes }

/**
 * Seals values into their records. The header and the record's key are authenticated with the value: a record whose
 * times or tags were changed, or that was moved to another key or cache, does not open.
 */
export class Encryption {
  readonly #ring: KeyRing
  readonly #scope: string

  /** Throws `InvalidOptionError` or `UnknownOptionError` in the name of `owner`, with no key in them. */
  constructor(owner: string, scope: string, options: EncryptOptions) {
    this.#ring = new KeyRing(owner, options)
    this.#scope = scope
  }

  get acceptsPlain(): boolean {
    return this.#ring.acceptsPlain
  }

  /** The key that writes. */
  get keyId(): string {
    return this.#ring.keyId
  }

  /** Writes nonce, encrypted value and tag: all of the record from `start` on, of which it needs every byte. */
  seal(record: Buffer, start: number, key: string, value: Buffer | string): void {
    this.#ring.seal(record.subarray(start), value, this.#authenticated(record, start, key))
  }

  /** The value. Throws if the record was not sealed with one of these keys, for this key of the cache, as it is. */
  open(record: Buffer, { start, keyId = '' }: ReadFrame, key: string): Buffer {
    if (!this.#ring.knows(keyId)) {
      throw new UnreadableRecordError(
        `it is encrypted with the key "${keyId}", which this cache does not have`,
      )
    }
    return this.#ring.open(keyId, record.subarray(start), this.#authenticated(record, start, key))
  }

  #authenticated(record: Buffer, start: number, key: string): Buffer {
    return Buffer.concat([record.subarray(0, start), Buffer.from(this.#scope + key)])
  }
}
