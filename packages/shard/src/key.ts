import { InvalidShardKeyError } from './errors.ts'
import { type Hash64, hashBigint, hashInteger, hashText } from './postgres-hash.ts'

/** What a key may be written as, by the type that its column has in the database. */
export interface ShardKeys {
  /** `42`, `42n` and `'42'` (as drivers return a bigint) are one key. */
  readonly bigint: number | bigint | string
  /** Upper and lower case are one key. */
  readonly uuid: string
  /** Taken as it is: `'Ada'` and `'ada'` are two keys. */
  readonly text: string
}

export type KeyType = keyof ShardKeys

/** Hashes a key of one type; throws `InvalidShardKeyError` in the name of `owner` for what is no such key. */
export type KeyHash = (owner: string, key: unknown) => Hash64

/**
 * One hash per key type, each blind to how the key is written. What could be written in a way that we do
 * not see through is refused: one customer with two hashes would live on two shards.
 */
export const keyHashes: Readonly<Record<KeyType, KeyHash>> = {
  bigint: hashBigintKey,
  uuid: hashUuidKey,
  text: hashTextKey,
}

const smallest = -(2n ** 63n)
const largest = 2n ** 63n - 1n
const plainInteger = /^(?:0|-?[1-9][0-9]{0,18})$/

function hashBigintKey(owner: string, key: unknown): Hash64 {
  if (Number.isSafeInteger(key)) return hashInteger(key as number) // isSafeInteger proves a number, but not to tsc
  if (typeof key === 'bigint' && isInRange(key)) return hashBigint(key)
  if (typeof key === 'string' && plainInteger.test(key)) {
    // Fifteen digits are always a safe integer.
    if (key.length <= 15) return hashInteger(Number(key))
    const value = BigInt(key)
    if (isInRange(value)) return hashBigint(value)
  }
  throw new InvalidShardKeyError(owner, key, 'a whole number of 64 bits (beyond 2^53 a bigint or a string)')
}

function isInRange(value: bigint): boolean {
  return value >= smallest && value <= largest
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function hashUuidKey(owner: string, key: unknown): Hash64 {
  if (typeof key === 'string' && uuid.test(key)) return hashText(key.toLowerCase())
  throw new InvalidShardKeyError(owner, key, 'a uuid such as 01890a5d-ac96-774b-bcce-b302099a8057')
}

const loneSurrogate = /\p{Surrogate}/u

function hashTextKey(owner: string, key: unknown): Hash64 {
  // UTF-8 turns every lone surrogate into the same character, and Postgres cannot store a NUL.
  if (typeof key === 'string' && !key.includes('\0') && !loneSurrogate.test(key)) return hashText(key)
  throw new InvalidShardKeyError(owner, key, 'a well-formed string without NUL')
}
