import { begin, type Duration, InvalidOptionError, isHeard, parseDuration } from '@stepladder/core'
import { checkKey, checkTags, everything } from '../call/key.ts'
import { lifetimeOf, type Policy } from '../call/policy.ts'
import { type Scope, scopeWithin } from '../call/scope.ts'
import { spreadDown } from '../call/ttl.ts'
import { Entry } from '../memory/entry.ts'
import { sizeOfValue } from '../memory/value-size.ts'
import type { CacheParts } from '../parts.ts'
import type { LocalChanges, LocalEntry } from './local-changes.ts'

/** What a call of `set` or `fill` may say about its value. */
export interface LocalOptions {
  /** Milliseconds or `'10m'`; 0 and Infinity: until something drops it. Default: the TTL of the cache. */
  readonly ttl?: Duration | undefined
  /** Names under which it can be invalidated together with others. */
  readonly tags?: readonly string[] | undefined
  /** What it counts of the bytes of this process's memory. Default: about what its strings, numbers and fields take. */
  readonly size?: number | undefined
}

/** What the views of one cache share. */
export interface LocalParts extends CacheParts {
  readonly usual: Policy
  readonly changes: LocalChanges
}

/**
 * The memory of this process, read and changed without waiting: for code that was built on an LRU. It shows what
 * `getOrSet` keeps here, too. Values may be of any type, are not copied, and never leave the process. A value goes
 * when its TTL is over, when memory is full, and when its key or tag is invalidated by any process; none is served
 * while the cache cannot be sure to have heard of that, which may take a second, also where the cache is `strong`. Methods throw `InvalidKeyError` and `InvalidOptionError` for
 * wrong arguments, and nothing else: how telling the other processes went is reported as `invalidate`.
 */
export class LocalCache {
  readonly #parts: LocalParts
  readonly #scope: Scope

  /** Not for callers: every cache and namespace has one as `local`. */
  constructor(parts: LocalParts, scope: Scope) {
    this.#parts = parts
    this.#scope = scope
  }

  /** The value; undefined where there is none. The type is the caller's word: nobody checks it. */
  get<T = unknown>(key: string): T | undefined {
    const at = this.#scope.prefix + key
    const entry = this.#parts.copies.fresh(at)
    this.#note('localGet', entry ? 'hit' : 'miss')
    if (entry) return entry.value as T // as the caller says
    this.#miss(at)
    return undefined
  }

  /** As `get`, without being counted: not as a hit, and not as a miss that somebody is about to `fill`. */
  peek<T = unknown>(key: string): T | undefined {
    return this.#parts.copies.fresh(this.#scope.prefix + key)?.value as T | undefined // as the caller says
  }

  /** True where `get` would find a value, be it undefined. */
  has(key: string): boolean {
    const at = this.#scope.prefix + key
    if (this.#parts.copies.fresh(at)) return true
    this.#miss(at)
    return false
  }

  /** Those of the keys that are not here, each once: what is to be loaded, and `fill`ed in. */
  missing(keys: Iterable<string>): string[] {
    return [...new Set(keys)].filter((key) => !this.has(key))
  }

  /**
   * Keeps a value that has changed: every other process, and Redis, drops what it has under the key. Not kept (but
   * told) when an invalidation came between a `get` that found nothing and this, since the value may be older than
   * that. For what was read, not changed, `fill` spares the others. The number is a TTL in milliseconds.
   */
  set(key: string, value: unknown, options?: Duration | LocalOptions): this {
    const { copies, changes } = this.#parts
    const { at, local } = this.#entry(key, value, options)
    const mayKeep = copies.misses.maySet(at, local.tags)
    changes.replace(at, mayKeep && this.#isKept(local) ? local : undefined)
    this.#note('localSet', mayKeep ? 'done' : 'overtaken')
    return this
  }

  /**
   * Keeps a value that was read from its source after `get`, `has` or `missing` did not find it here; tells nobody.
   * False, and nothing kept, when the key was not missed, or was invalidated or set since it was.
   */
  fill(key: string, value: unknown, options?: Duration | LocalOptions): boolean {
    const { copies, changes } = this.#parts
    const { at, local } = this.#entry(key, value, options)
    const mayFill = copies.misses.mayFill(at, local.tags)
    if (mayFill && this.#isKept(local)) changes.put(at, local)
    this.#note('localFill', mayFill ? 'done' : 'overtaken')
    return mayFill
  }

  /** Drops the key here at once, and everywhere else in the background. True if it was here. */
  delete(key: string): boolean {
    const { copies, changes, limits } = this.#parts
    checkKey(limits.name, key)
    const at = this.#scope.prefix + key
    const wasHere = copies.fresh(at) !== undefined
    changes.drop({ keys: [at], tags: [] })
    return wasHere
  }

  /** Drops everything here at once, and everywhere else in the background. */
  clear(): void {
    this.#parts.changes.drop({ keys: [], tags: [this.#scope.tags.at(-1) ?? everything] })
  }

  /** The keys under `name:`, which can be cleared by themselves: the `local` of `cache.namespace(name)`. */
  namespace(name: string): LocalCache {
    return new LocalCache(this.#parts, scopeWithin(this.#parts.limits.name, this.#scope, name))
  }

  #miss(at: string): void {
    const { copies } = this.#parts
    // Who sets and then gets is not about to read: it is there, and only not served while the others are not heard.
    if (copies.misses.isJustBrought(at) && copies.holds(at)) return
    copies.misses.add(at)
  }

  #entry(key: string, value: unknown, options: Duration | LocalOptions | undefined) {
    const { copies, limits, jitter } = this.#parts
    checkKey(limits.name, key)
    const at = this.#scope.prefix + key
    checkKey(limits.name, at)
    const { ttl, tags = [], size } = typeof options === 'object' ? options : { ttl: options }
    checkTags(limits.name, tags)
    const allTags = [...this.#scope.tags, ...tags]
    const ttlMs = this.#ttlMs(value, ttl)
    const freshUntil = limits.clock.monotonic() + (ttlMs === 0 ? 0 : spreadDown(ttlMs, jitter))
    const taken = size === undefined ? sizeOfValue(value) : this.#checkSize(size)
    const entry = new Entry({
      ...{ value, tags: allTags.map((tag) => copies.epochs.adopt(tag)), size: taken },
      ...{ version: '', etag: undefined, retryAt: 0 },
      ...{ freshUntil, staleUntil: freshUntil, refreshAt: Number.POSITIVE_INFINITY },
    })
    const local: LocalEntry = { entry, tags: allTags }
    return { at, local }
  }

  /** 0 for a value that is not to be kept. */
  #ttlMs(value: unknown, ttl: Duration | undefined): number {
    const { limits, usual } = this.#parts
    if (ttl === undefined) return lifetimeOf(limits.name, value, usual)?.ttlMs ?? 0
    const ms = parseDuration(`cache "${limits.name}"`, 'ttl', ttl)
    return ms === 0 ? Number.POSITIVE_INFINITY : ms
  }

  #checkSize(size: number): number {
    if (Number.isFinite(size) && size >= 0) return Math.ceil(size)
    throw new InvalidOptionError(`cache "${this.#parts.limits.name}"`, 'size', size, 'a number of bytes')
  }

  #isKept({ entry }: LocalEntry): boolean {
    return this.#parts.limits.clock.monotonic() < entry.freshUntil
  }

  #note(operation: string, outcome: string): void {
    const { name, report, clock } = this.#parts.limits
    if (isHeard(report)) begin({ component: 'cache', name, operation }, report, clock)(outcome)
  }
}
