import { createSecretKey, type KeyObject } from 'node:crypto'
import { InvalidOptionError } from '../errors.ts'
import { checkOptionNames } from '../options.ts'

export interface EncryptOptions {
  /** The first one writes, all read. To replace a key: add the new one last, everywhere; then move it to the front. */
  readonly keys: readonly EncryptionKey[]
  /** Also reads records that are not encrypted, while those that are there are on their way to it. Default false. */
  readonly acceptPlain?: boolean | undefined
}

export interface EncryptionKey {
  /** Stands in every record: 1 to 32 letters, digits, `_`, `.` and `-`. */
  readonly id: string
  /** 32 random bytes, or their base64: `openssl rand -base64 32`. */
  readonly key: Uint8Array | string
}

/** The options, checked and complete. */
export interface EncryptSettings {
  /** The key that writes. */
  readonly firstId: string
  readonly keys: ReadonlyMap<string, KeyObject>
  readonly acceptsPlain: boolean
}

/** Throws `InvalidOptionError` or `UnknownOptionError` in the name of `owner`, with no key in them. */
export function readEncryptOptions(owner: string, options: EncryptOptions): EncryptSettings {
  // Callers in JavaScript pass what they have: `encrypt: process.env.KEY`.
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(owner, 'encrypt', typeof options, 'an object with `keys`')
  }
  checkOptionNames(`${owner}: encrypt`, options, ['keys', 'acceptPlain'])
  const { keys, acceptPlain = false } = options
  if (!Array.isArray(keys) || keys.length === 0) {
    // Not the value: it may be a key.
    const found = Array.isArray(keys) ? 'an empty list' : typeof keys
    throw new InvalidOptionError(owner, 'encrypt.keys', found, 'a list of one key or more')
  }
  // Any text would do for true, `'false'` of an environment too.
  if (typeof acceptPlain !== 'boolean') {
    throw new InvalidOptionError(owner, 'encrypt.acceptPlain', acceptPlain, 'true or false')
  }
  const read = readKeys(owner, keys)
  return { firstId: keys[0]!.id, keys: read, acceptsPlain: acceptPlain }
}

function readKeys(owner: string, keys: readonly EncryptionKey[]): ReadonlyMap<string, KeyObject> {
  const read = new Map<string, KeyObject>()
  for (const [index, given] of keys.entries()) {
    const option = `encrypt.keys[${index}]`
    // Callers in JavaScript leave out what they do not know.
    const { id, key }: Partial<EncryptionKey> = given ?? {}
    if (typeof id !== 'string' || !/^[\w.-]{1,32}$/.test(id)) {
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
