import { InvalidOptionError } from '@stepladder/core'

/** Which part of a cache a view shows. */
export interface Scope {
  /** What its keys begin with. */
  readonly prefix: string
  /** What each value in it is tagged with: its own tag, which clears it, and those of the scopes around it. */
  readonly tags: readonly string[]
}

export const wholeCache: Scope = { prefix: '', tags: [] }

/** The scope of a namespace. Throws `InvalidOptionError` for a name that would make its keys ambiguous. */
export function scopeWithin(cache: string, { prefix, tags }: Scope, name: unknown): Scope {
  if (typeof name !== 'string' || name === '' || name.includes(':') || !name.isWellFormed()) {
    throw new InvalidOptionError(`cache "${cache}"`, 'namespace', name, 'text without ":"')
  }
  return { prefix: `${prefix}${name}:`, tags: [...tags, `namespace:${prefix}${name}`] }
}
