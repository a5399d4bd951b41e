import { checkKey, checkTags, everything } from './key.ts'
import { type Policy, type PolicyOptions, readPolicy } from './policy.ts'

/** What one call may say about its value; what it leaves out is as the cache was made. */
export interface EntryOptions<T = unknown> extends PolicyOptions<T> {
  /** Names under which it can be invalidated together with others. */
  readonly tags?: readonly string[] | undefined
}

/** One value that is wanted or offered: its key, how it is kept, and its tags with the one that all carry. */
export interface Wish {
  readonly key: string
  readonly tags: readonly string[]
  readonly policy: Policy
}

const justEverything = [everything]

/** A call's arguments, checked. Throws `InvalidKeyError` or `InvalidOptionError`. */
export function readWish(
  cache: string,
  key: unknown,
  options: EntryOptions<never> | undefined,
  usual: Policy,
): Wish {
  checkKey(cache, key)
  if (options === undefined) return { key, tags: justEverything, policy: usual }
  const { tags, ...said } = options
  if (tags === undefined) return { key, tags: justEverything, policy: readPolicy(cache, said, usual) }
  checkTags(cache, tags)
  return { key, tags: [everything, ...new Set(tags)], policy: readPolicy(cache, said, usual) }
}
