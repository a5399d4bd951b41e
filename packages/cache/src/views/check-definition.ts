import { InvalidOptionError } from '@stepladder/core'
import { checkTags } from '../call/key.ts'
import { type Policy, type PolicyOptions, readPolicy } from '../call/policy.ts'

/** What those who bind a function to a cache say beside it. */
interface Said extends PolicyOptions<never> {
  readonly key?: unknown
  readonly tags?: unknown
}

/** Whatever is usual: here it is only about what is said. */
const anyPolicy: Policy = { ttlMs: 1, graceMs: 0, isStrong: false }

/** Throws `InvalidOptionError`, or `InvalidKeyError` for a tag, where the function is made: each of its calls would. */
export function checkDefinition(owner: string, cache: string, said: Said): void {
  checkFunction(owner, 'key', said.key)
  if (said.tags !== undefined && typeof said.tags !== 'function') checkTags(cache, said.tags)
  readPolicy(cache, said, anyPolicy)
}

export function checkFunction(owner: string, option: string, given: unknown): void {
  if (typeof given !== 'function') throw new InvalidOptionError(owner, option, given, 'a function')
}
