import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'
import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import { UnreadableRecordError } from '../errors.ts'
import type { ReadFrame } from './header.ts'
import { isId } from './id.ts'

export interface EncryptOptions {
  /** The first one writes, all read. To replace a key: add the new one last, everywhere; then move it to the front. */
  readonly keys: readonly EncryptionKey[]
  /** Also reads records that are not encrypted, while a cache is on its way to encryption. Default false. */
  readonly acceptPlain?: boolean | undefined
}

export interface EncryptionKey {
  /** Stands in every record: 1 to 32 letters, digits, `_`, `.` and `-`. */
  readonly id: string
  /** 32 random bytes, or their base64: `openssl rand -base64 32`. */
  readonly key: Uint8Array | string
}

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** What encryption adds to a value. */
export const encryptionBytes: number = nonceBytes + tagBytes

/**
 * AES-256-GCM with a random nonce per record. The header and the record's key are authenticated with the value: a
 * record whose times or tags were changed, or that was moved to another key or cache, does not open.
 */
export class Encryption {
  readonly acceptsPlain: boolean
  /** The key that writes. */
  readonly keyId: string
  readonly #scope: string
  readonly #keys: ReadonlyMap<string, KeyObject>

  /** Throws `InvalidOptionError` or `UnknownOptionError` in the name of `owner`, with no key in them. */
  constructor(owner: string, scope: string, options: EncryptOptions) {
    checkOptionNames(`${owner}: encrypt`, options, ['keys', 'acceptPlain'])
    const { keys, acceptPlain = false } = options
    if (!Array.isArray(keys) || keys.length === 0) {
      throw new InvalidOptionError(owner, 'encrypt.keys', keys, 'a list of one key or more')
    }
    // Any text would do for true, `'false'` of an environment too.
    if (typeof acceptPlain !== 'boolean') {
      throw new InvalidOptionError(owner, 'encrypt.acceptPlain', acceptPlain, 'true or false')
    }
    this.acceptsPlain = acceptPlain
    this.#scope = scope
    this.#keys = readKeys(owner, keys)
    this.keyId = keys[0]!.id
  }

  /** Writes nonce, encrypted value and tag: all of the record from `start` on, of which it needs every byte. */
  seal(record: Buffer, start: number, key: string, value: Buffer | string): void {
    const nonce = randomFillSync(record.subarray(start, start + nonceBytes))
    const secret = this.#keys.get(this.keyId)!
    const cipher = createCipheriv(algorithm, secret, nonce, { authTagLength: tagBytes })
    cipher.setAAD(this.#authenticated(record, start, key))
    const encrypted = typeof value === 'string' ? cipher.update(value, 'utf8') : cipher.update(value)
    encrypted.copy(record, start + nonceBytes)
    cipher.final()
    cipher.getAuthTag().copy(record, record.length - tagBytes)
  }

  /** The value. Throws if the record was not sealed with one of these keys, for this key of the cache, as it is. */
  open(record: Buffer, { start, keyId = '' }: ReadFrame, key: string): Buffer {
    const secret = this.#keys.get(keyId)
    if (secret === undefined) {
      throw new UnreadableRecordError(
        `it is encrypted with the key "${keyId}", which this cache does not have`,
      )
    }
    const [from, to] = [start + nonceBytes, record.length - tagBytes]
    if (from > to) throw new RangeError('no room for nonce and tag')
    const nonce = record.subarray(start, from)
    const decipher = createDecipheriv(algorithm, secret, nonce, { authTagLength: tagBytes })
    decipher.setAAD(this.#authenticated(record, start, key)).setAuthTag(record.subarray(to))
    const value = decipher.update(record.subarray(from, to))
    decipher.final()
    return value
  }

  #authenticated(record: Buffer, start: number, key: string): Buffer {
    return Buffer.concat([record.subarray(0, start), Buffer.from(this.#scope + key)])
  }
}

function readKeys(owner: string, keys: readonly EncryptionKey[]): ReadonlyMap<string, KeyObject> {
  const read = new Map<string, KeyObject>()
  for (const [index, given] of keys.entries()) {
    const option = `encrypt.keys[${index}]`
    // Callers in JavaScript leave out what they do not know.
    const { id, key }: Partial<EncryptionKey> = given ?? {}
    if (!isId(id)) {
      throw new InvalidOptionError(owner, `${option}.id`, id, 'of 1 to 32 letters, digits, "_", "." and "-"')
    }
    if (read.has(id)) throw new InvalidOptionError(owner, `${option}.id`, id, 'given once')
    const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : key
    // Its length in place of the value: an error is logged, and a key must not be.
    const found = bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof key
    if (found !== '32 bytes') {
      throw new InvalidOptionError(owner, `${option}.key`, found, '32 bytes, or their base64')
    }
    read.set(id, createSecretKey(bytes))
  }
  return read
}
