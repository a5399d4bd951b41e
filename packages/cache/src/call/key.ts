import { InvalidKeyError } from '../errors.ts'

const maxBytes = 1024

/** The tag that every entry carries: invalidating it clears the cache. Callers cannot name it. */
export const everything = ''

/** Throws `InvalidKeyError` for what cannot be a key. */
export function checkKey(cache: string, key: unknown): asserts key is string {
  check(cache, 'key', key)
}

/** Throws `InvalidKeyError` when one of them cannot be a tag. */
export function checkTags(cache: string, tags: unknown): asserts tags is readonly string[] {
  if (!Array.isArray(tags)) throw new InvalidKeyError(cache, 'tag', 'the tags are not an array')
  for (const tag of tags) check(cache, 'tag', tag)
}

function check(cache: string, what: 'key' | 'tag', text: unknown): void {
  if (typeof text !== 'string') throw new InvalidKeyError(cache, what, `this one is of type ${typeof text}`)
  if (text === '') throw new InvalidKeyError(cache, what, 'this one is empty')
  // No character takes more than three bytes, so most keys are never measured.
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
    throw new InvalidKeyError(
      cache,
      what,
      `this one has ${Buffer.byteLength(text)}: "${text.slice(0, 40)}..."`,
    )
  }
  // Half characters all become the same replacement character in Redis: two keys would share one value.
  if (!text.isWellFormed()) throw new InvalidKeyError(cache, what, 'this one holds half a character')
}
