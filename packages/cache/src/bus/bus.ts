import type { Closeable } from '@stepladder/core'

/** What is not to be served any more: these keys, and every entry with one of these tags. */
export interface Invalidation {
  readonly keys: readonly string[]
  readonly tags: readonly string[]
}

export interface BusListener {
  /** Another process invalidated something. Never called for what this bus published itself. */
  onInvalidation(invalidation: Invalidation): void
  /** Messages may have been missed before this moment. */
  onGap(): void
  /**
   * What the store holds for these was written, or went, and no message says why: another program, the end of its
   * time, or another process that stored what it loaded. Copies of it may be older than what is there now; a load
   * under way is not overtaken, since its lease tells that; whoever waits for somebody else's load may look again.
   * Never called for what this process wrote itself, unless somebody else's write may have been in between.
   */
  onTouched?(touched: Invalidation): void
  /** False where `onTouched` would do nothing for the key at this moment, so that nobody need find out. Default: true. */
  isRelied?(key: string): boolean
}

/** Carries invalidations between the processes that share a cache. */
export interface Bus extends Closeable {
  /**
   * Until when, by the monotonic clock, this process may trust its memory: all that was published up to the
   * fence before that moment has been heard. In the past while the bus is down.
   */
  readonly heardUntil: number
  /** Resolves when the message is on its way to all others; rejects when it may not be. */
  publish(invalidation: Invalidation): Promise<void>
  /** Called once, before anything else. */
  subscribe(listener: BusListener): void
}

/** An invalidation as another process sent it; undefined for what cannot be understood. */
export function readInvalidation(message: unknown): Invalidation | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  if (!('keys' in message && 'tags' in message)) return undefined
  const { keys, tags } = message
  return isTexts(keys) && isTexts(tags) ? { keys, tags } : undefined
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}
