import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto'
import { type EncryptOptions, readEncryptOptions } from './encrypt-options.ts'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** What encryption adds to a value: a nonce before it, a tag behind it. */
export const encryptionBytes: number = nonceBytes + tagBytes

/**
 * AES-256-GCM with a random nonce per record, and several keys, so that one can be replaced: the first writes, all read.
 * What is sealed is bound to `authenticated`, the place where it is kept say, and opens nowhere else.
 */
export class KeyRing {
  /** Whether its owner should read what is not encrypted, too. */
  readonly acceptsPlain: boolean
  /** The key that writes. */
  readonly keyId: string
  readonly #keys: ReadonlyMap<string, KeyObject>

  /** Throws `InvalidOptionError` or `UnknownOptionError` in the name of `owner`, with no key in them. */
  constructor(owner: string, options: EncryptOptions) {
    const { firstId, keys, acceptsPlain } = readEncryptOptions(owner, options)
    this.acceptsPlain = acceptsPlain
    this.keyId = firstId
    this.#keys = keys
  }

  knows(keyId: string): boolean {
    return this.#keys.has(keyId)
  }

  /** Fills all of `sealed`, which is `encryptionBytes` longer than the value: nonce, encrypted value, tag. */
  seal(sealed: Buffer, value: Buffer | string, authenticated: Buffer): void {
    const nonce = randomFillSync(sealed.subarray(0, nonceBytes))
    const cipher = createCipheriv(algorithm, this.#keys.get(this.keyId)!, nonce, { authTagLength: tagBytes })
    cipher.setAAD(authenticated)
    const encrypted = typeof value === 'string' ? cipher.update(value, 'utf8') : cipher.update(value)
    encrypted.copy(sealed, nonceBytes)
    cipher.final()
    cipher.getAuthTag().copy(sealed, sealed.length - tagBytes)
  }

  /** The value. Throws what was not sealed like this by the key of this id; ask `knows` first. */
  open(keyId: string, sealed: Buffer, authenticated: Buffer): Buffer {
    const key = this.#keys.get(keyId)
    if (!key) throw new RangeError(`there is no key "${keyId}"`)
    const end = sealed.length - tagBytes
    if (end < nonceBytes) throw new RangeError('no room for nonce and tag')
    const nonce = sealed.subarray(0, nonceBytes)
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(authenticated).setAuthTag(sealed.subarray(end))
    const value = decipher.update(sealed.subarray(nonceBytes, end))
    decipher.final()
    return value
  }
}
