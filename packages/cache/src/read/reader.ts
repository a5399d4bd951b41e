import { type End, InvalidOptionError, inside } from '@stepladder/core'
import { checkKey } from '../call/key.ts'
import type { Policy } from '../call/policy.ts'
import { type EntryOptions, readWish, type Wish } from '../call/wish.ts'
import type { Answer } from '../memory/copies.ts'
import type { Entry } from '../memory/entry.ts'
import type { CacheParts } from '../parts.ts'
import { LoadGroup, type LoadMany } from './load-group.ts'
import type { AnyLoad } from './loader.ts'
import { ReadThrough } from './read-through.ts'

/** What a call that reads many keys may say. */
export interface ManyOptions<T = unknown> extends EntryOptions<T> {
  /** Leaves out the keys that cannot be loaded, instead of rejecting for them. Default false. */
  readonly partial?: boolean | undefined
}

/** Of a class for the reason that `ReadValue` gives. */
class Read {
  readonly answer: Promise<Answer>
  /** Somebody else started it. */
  readonly isJoined: boolean

  constructor(answer: Promise<Answer>, isJoined: boolean) {
    this.answer = answer
    this.isJoined = isJoined
  }
}

/** The reads that the memory of this process could not answer: joined where one is under way, else started. */
export class Reader {
  readonly #parts: CacheParts
  readonly #usual: Policy
  readonly #readThrough: ReadThrough

  constructor(parts: CacheParts, usual: Policy) {
    this.#parts = parts
    this.#usual = usual
    this.#readThrough = new ReadThrough(parts)
  }

  /** Asks the store, and no loader. */
  async look(key: string): Promise<Answer> {
    const { copies } = this.#parts
    const { reads } = copies
    const wish = this.#wish(key, undefined)
    const underWay = wish.policy.isStrong ? undefined : copies.joinable(reads, key)
    const flight = underWay ?? reads.start(key, wish.tags, (flight) => this.#readThrough.look(flight, wish))
    return flight.answer
  }

  /** Ends the operation, well or not. */
  getOrLoad(
    key: string,
    load: AnyLoad,
    options: EntryOptions<never> | undefined,
    end: End | undefined,
  ): Promise<unknown> {
    try {
      const read = this.#read(this.#wish(key, options), this.#checkLoader('load', load), end)
      // Nobody hears how it ends: an async function would only cost its time.
      if (end === undefined) return read.answer.then(toValue)
      return this.#settle(read, end).catch((failure: unknown) => {
        end('failed', failure)
        throw failure
      })
    } catch (failure) {
      end?.('failed', failure)
      return Promise.reject(failure)
    }
  }

  /** Many at once: one question to the store, one call of `loadMany` for all that is missing. */
  async getOrLoadMany(
    keys: readonly string[],
    loadMany: LoadMany<unknown>,
    options: ManyOptions<never> | undefined,
    begin: () => End | undefined,
  ): Promise<Map<string, unknown>> {
    const { partial = false, ...said } = options ?? {}
    this.#checkLoader('loadMany', loadMany)
    const unique = [...new Set(keys)]
    for (const key of unique) checkKey(this.#name, key)
    const wishes = this.#wishes(unique, said)
    const here = new Map(wishes.map((wish) => [wish.key, this.#fresh(wish)]))
    const missing = wishes.filter(({ key }) => here.get(key) === undefined)
    const group = new LoadGroup(
      this.#name,
      missing.map(({ key }) => key),
      loadMany,
    )
    const answers = await Promise.allSettled(missing.map((wish) => this.#answerInGroup(wish, group, begin())))
    const loaded = new Map(missing.map(({ key }, index) => [key, answers[index]!]))

    const found = new Map<string, unknown>()
    for (const key of unique) {
      const answer = loaded.get(key)
      if (answer?.status === 'rejected') {
        if (!partial) throw answer.reason
        continue
      }
      const value = answer ? answer.value : here.get(key)?.value
      if (!answer) begin()?.('hit')
      if (value !== undefined) found.set(key, value)
    }
    return found
  }

  /** Loads anew what may still be served. Where another process is at it, the value that there is. */
  async refresh(
    key: string,
    load: AnyLoad,
    options: EntryOptions<never> | undefined,
    end: End | undefined,
  ): Promise<unknown> {
    const wish = this.#wish(key, options)
    this.#checkLoader('load', load)
    const { copies, store } = this.#parts
    // Memory may hold an older one than the store, which would pass for what somebody else has just loaded.
    if (store) await this.look(key)
    const present = copies.loads.find(key) ? undefined : copies.fresh(key)
    if (!present) return await this.#settle(this.#read(wish, load, end), end)
    let isAsked = false
    const loadOnce: AnyLoad = (context) => {
      isAsked = true
      return load(context)
    }
    try {
      const task = (flight: Parameters<ReadThrough['load']>[0]) =>
        this.#readThrough.refresh(flight, wish, loadOnce, present)
      const { value, outcome } = await inside(end, () => copies.loads.start(key, wish.tags, task)).answer
      end?.(outcome)
      return value
    } catch (failure) {
      if (isAsked) throw failure
      // The store is away, so there is no lease to be had. The loader still answers.
      return await this.#settle(this.#read(wish, load, end), end)
    }
  }

  /** Loads what is still served anew, in the background, if its time has come. */
  refreshIfDue(key: string, entry: Entry, load: AnyLoad, options: EntryOptions<never> | undefined): void {
    const { copies, limits } = this.#parts
    if (limits.clock.monotonic() < entry.refreshAt || copies.loads.find(key)) return
    const wish = this.#wish(key, options)
    // Not again for this copy; a failure says when.
    entry.refreshAt = Number.POSITIVE_INFINITY
    copies.loads
      .start(key, wish.tags, (flight) => this.#readThrough.refresh(flight, wish, load, entry))
      .answer.catch(() => {}) // it was reported, and nobody waits
  }

  get #name(): string {
    return this.#parts.limits.name
  }

  #wishes(keys: readonly string[], said: EntryOptions<never>): Wish[] {
    const [first, ...others] = keys
    if (first === undefined) return []
    const wish = this.#wish(first, said)
    return [wish, ...others.map((key) => ({ ...wish, key }))]
  }

  #wish(key: string, options: EntryOptions<never> | undefined): Wish {
    const wish = readWish(this.#name, key, options, this.#usual)
    if (!wish.policy.isStrong || this.#parts.store) return wish
    // Without a store, an invalidation is done when all processes have heard of it: nothing is stronger.
    return { ...wish, policy: { ...wish.policy, isStrong: false } }
  }

  #fresh({ key, policy }: Wish): Entry | undefined {
    return policy.isStrong ? undefined : this.#parts.copies.fresh(key)
  }

  async #answerInGroup(wish: Wish, group: LoadGroup, end: End | undefined): Promise<unknown> {
    const { key } = wish
    const decide = () => group.decide(key)
    try {
      const read = this.#read(wish, () => group.load(key), end, decide)
      if (read.isJoined) decide()
      return await this.#settle(read, end)
    } catch (failure) {
      end?.('failed', failure)
      throw failure
    } finally {
      decide()
    }
  }

  /** Joins the load that is under way, or starts one. */
  #read(wish: Wish, load: AnyLoad, end: End | undefined, onWait?: () => void): Read {
    const { copies } = this.#parts
    const { key, tags } = wish
    const resting = this.#resting(wish)
    if (resting) return new Read(Promise.resolve({ value: resting.value, outcome: 'stale' }), false)
    const { isStrong } = wish.policy
    const underWay = isStrong ? undefined : copies.joinable(copies.loads, key)
    if (underWay) return new Read(underWay.answer, true)
    const flight = isStrong ? copies.loads.openApart(key, tags) : copies.loads.open(key, tags)
    // The scope is that of the operation, if it is traced: the loader runs in it.
    flight.answer =
      end === undefined
        ? this.#readThrough.load(flight, wish, load, onWait)
        : inside(end, () => this.#readThrough.load(flight, wish, load, onWait))
    return new Read(flight.answer, false)
  }

  async #settle({ answer, isJoined }: Read, end: End | undefined): Promise<unknown> {
    const { value, outcome, cause } = await answer
    end?.(isJoined && outcome === 'loaded' ? 'joined' : outcome, cause)
    return value
  }

  /** The old value of a loader that failed less than a second ago: it is not asked again so soon. */
  #resting(wish: Wish): Entry | undefined {
    if (wish.policy.isStrong) return undefined
    const { copies, limits } = this.#parts
    const entry = copies.graced(wish.key)
    return entry && limits.clock.monotonic() < entry.retryAt ? entry : undefined
  }

  #checkLoader<T>(option: string, load: T): T {
    if (typeof load === 'function') return load
    throw new InvalidOptionError(`cache "${this.#name}"`, option, load, 'a function')
  }
}

function toValue({ value }: Answer): unknown {
  return value
}
