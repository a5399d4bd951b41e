import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import { forOneCall } from '../audit/for-one-call.ts'
import type { CacheLike } from '../cache-like.ts'
import { type PolicyOptions, policyOptionNames } from '../call/policy.ts'
import { LoadGroup, type LoadMany } from '../read/load-group.ts'

/** Keys, all at once or as they are found. */
export type Keys = Iterable<string> | AsyncIterable<string>

interface WarmSettings<T> extends PolicyOptions<NoInfer<T>> {
  /** Of all values. */
  readonly tags?: readonly string[] | undefined
  /** How many loads run at a time. Default 8. */
  readonly concurrency?: number | undefined
  /** Loads anew what is there, too; it is served on meanwhile. Default false. */
  readonly refresh?: boolean | undefined
  /** Called after each key, or list of keys. Must not throw. */
  readonly onProgress?: ((progress: WarmProgress) => void) | undefined
  /** Aborted, no further load is begun. */
  readonly signal?: AbortSignal | undefined
}

/** How to bring the values: one by one, or many with one call. */
export type WarmOptions<T> = WarmSettings<T> &
  (
    | { readonly load: (key: string) => T | Promise<T>; readonly loadMany?: undefined }
    | {
        readonly loadMany: LoadMany<T>
        /** How many keys one call of `loadMany` gets at most. Default 100. */
        readonly batch?: number | undefined
        readonly load?: undefined
      }
  )

/** How many keys are done, by how they ended. */
export interface WarmProgress {
  /** Loaded by this call. */
  readonly loaded: number
  /** Already there, or loaded by somebody else meanwhile. */
  readonly present: number
  readonly failed: number
}

export interface WarmResult extends WarmProgress {
  /** The first hundred. */
  readonly failures: readonly { readonly key: string; readonly reason: unknown }[]
  /** False when the signal stopped it. */
  readonly isComplete: boolean
}

const maxFailures = 100
const optionNames = [
  ...['load', 'loadMany', 'batch', 'tags', 'concurrency', 'refresh', 'onProgress', 'signal'],
  ...policyOptionNames,
]

/** What `cache.warm` does. */
export async function warm<T>(cache: CacheLike, keys: Keys, options: WarmOptions<T>): Promise<WarmResult> {
  return new Warming(cache, options).run(keys)
}

/** Throws `InvalidOptionError` or `UnknownOptionError`. */
export function checkWarmOptions(options: WarmOptions<unknown>, alsoKnown: readonly string[] = []): void {
  checkOptionNames('warm', options, [...optionNames, ...alsoKnown])
  const { load, loadMany, concurrency = 1 } = options
  const batch = 'batch' in options ? options.batch : undefined
  if ((typeof load === 'function') === (typeof loadMany === 'function'))
    throw new InvalidOptionError('warm', 'load', load, 'a function, in place of `loadMany`')
  checkCount('concurrency', concurrency)
  checkCount('batch', batch ?? 1)
}

function checkCount(option: string, count: number): void {
  if (Number.isInteger(count) && count > 0) return
  throw new InvalidOptionError('warm', option, count, 'a whole number above 0')
}

class Warming<T> {
  readonly #cache: CacheLike
  readonly #options: WarmOptions<T>
  readonly #failures: { key: string; reason: unknown }[] = []
  #loaded = 0
  #present = 0
  #failed = 0

  constructor(cache: CacheLike, options: WarmOptions<T>) {
    checkWarmOptions(options as WarmOptions<unknown>) // only its shape is looked at
    this.#cache = cache
    this.#options = options
  }

  async run(keys: Keys): Promise<WarmResult> {
    const { concurrency = 8, signal } = this.#options
    const source = new KeySource(keys, signal)
    await Promise.all(Array.from({ length: concurrency }, () => this.#work(source)))
    await source.close()
    return { ...this.#progress, failures: this.#failures, isComplete: source.isAtEnd }
  }

  async #work(source: KeySource): Promise<void> {
    const { loadMany, onProgress } = this.#options
    const atOnce = loadMany ? (this.#options.batch ?? 100) : 1
    for (;;) {
      const keys = await source.take(atOnce)
      if (keys.length === 0) return
      await this.#warm(keys)
      onProgress?.(this.#progress)
    }
  }

  async #warm(keys: readonly string[]): Promise<void> {
    const { load, loadMany } = this.#options
    if (load) {
      await Promise.all(keys.map((key) => this.#warmOne(key, () => load(key))))
      return
    }
    const group = new LoadGroup(this.#cache.name, keys, loadMany)
    // The group answers with what `loadMany` brought for the key.
    const loadInGroup = (key: string) => group.load(key) as Promise<T>
    await Promise.all(
      keys.map((key) => this.#warmOne(key, () => loadInGroup(key)).finally(() => group.decide(key))),
    )
  }

  async #warmOne(key: string, load: () => T | Promise<T>): Promise<void> {
    const { refresh, load: _one, loadMany: _many, concurrency, onProgress, signal, ...rest } = this.#options
    const { batch, ...entry } = 'batch' in rest ? rest : { ...rest, batch: undefined }
    let isLoaded = false
    const loadHere = forOneCall(() => {
      isLoaded = true
      return load()
    })
    try {
      if (refresh) await this.#cache.refresh(key, loadHere, entry)
      else await this.#cache.getOrSet(key, loadHere, entry)
      if (isLoaded) this.#loaded += 1
      else this.#present += 1
    } catch (reason) {
      this.#failed += 1
      if (this.#failures.length < maxFailures) this.#failures.push({ key, reason })
    }
  }

  get #progress(): WarmProgress {
    return { loaded: this.#loaded, present: this.#present, failed: this.#failed }
  }
}

/** The keys, for several takers. */
class KeySource {
  isAtEnd = false
  readonly #iterator: Iterator<string> | AsyncIterator<string>
  readonly #signal: AbortSignal | undefined
  #lastTaken: Promise<unknown> = Promise.resolve()

  constructor(keys: Keys, signal: AbortSignal | undefined) {
    this.#iterator = Symbol.asyncIterator in keys ? keys[Symbol.asyncIterator]() : keys[Symbol.iterator]()
    this.#signal = signal
  }

  /** As many as there are, up to `count`; none at the end, or when the signal is aborted. One taker after the other. */
  take(count: number): Promise<string[]> {
    const taken = this.#lastTaken.then(() => this.#take(count))
    this.#lastTaken = taken.catch(() => {}) // who took hears of it
    return taken
  }

  async close(): Promise<void> {
    if (!this.isAtEnd) await this.#iterator.return?.()
  }

  async #take(count: number): Promise<string[]> {
    const keys: string[] = []
    while (keys.length < count && !this.isAtEnd && !this.#signal?.aborted) {
      const { done, value } = await this.#iterator.next()
      if (done) this.isAtEnd = true
      else keys.push(value)
    }
    return keys
  }
}
