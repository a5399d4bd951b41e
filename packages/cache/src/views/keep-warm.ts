import { randomUUID } from 'node:crypto'
import {
  begin,
  type Clock,
  type Closeable,
  type Duration,
  InvalidOptionError,
  ignoreReports,
  parseDuration,
  type Reporter,
  systemClock,
  type Timer,
} from '@stepladder/core'
import { forOneCall } from '../audit/for-one-call.ts'
import type { CacheLike } from '../cache-like.ts'
import type { EntryOptions } from '../call/wish.ts'
import { checkWarmOptions, type Keys, type WarmOptions, type WarmResult, warm } from './warm.ts'

export type KeepWarmOptions<T> = WarmOptions<T> & {
  readonly cache: CacheLike
  /** Tells this task from others in the cache. */
  readonly name: string
  /** From the start of one round to that of the next, give or take a tenth. Should be less than the values' TTL. */
  readonly every: Duration
  /** What is to be kept warm; a function is asked before each round. */
  readonly keys: Iterable<string> | (() => Keys | Promise<Keys>)
  /** Hears how each round ended, as the operation `warm`. Default: nobody. */
  readonly report?: Reporter | undefined
  readonly clock?: Clock | undefined
}

/**
 * Loads values before anybody asks for them, at once and then `every` so often: those that are there, too. Of all
 * processes that share a store, one does a round; which one is decided anew for each, so none is missed for long when a
 * process dies. Where processes share no store, each keeps its own memory warm. `close()` begins no further load and
 * resolves when those under way have ended. Throws `InvalidOptionError` or `UnknownOptionError`.
 */
export function keepWarm<T>(options: KeepWarmOptions<T>): Closeable {
  const { cache, name, every, keys, report, clock, signal: _given, ...rest } = options
  if (typeof name !== 'string' || name === '')
    throw new InvalidOptionError('keepWarm', 'name', name, 'text that is not empty')
  const everyMs = parseDuration('keepWarm', 'every', every)
  if (!(everyMs >= 100 && everyMs <= 30 * 86_400_000))
    throw new InvalidOptionError('keepWarm', 'every', every, 'from 100 milliseconds to 30 days')
  // What is left is how to warm; the round's own signal takes the place of one that was given.
  const how = rest as unknown as WarmOptions<T>
  checkWarmOptions(options as unknown as WarmOptions<unknown>, [
    'cache',
    'name',
    'every',
    'keys',
    'report',
    'clock',
  ])
  return new WarmRounds({ cache, name, everyMs, keys, how, signal: _given, report, clock })
}

interface Rounds<T> {
  readonly cache: CacheLike
  readonly name: string
  readonly everyMs: number
  readonly keys: KeepWarmOptions<T>['keys']
  readonly how: WarmOptions<T>
  readonly signal: AbortSignal | undefined
  readonly report: Reporter | undefined
  readonly clock: Clock | undefined
}

/**
 * A round belongs to whose name stands in the cache under the round's key: put there by `getOrSet`, so that of all
 * processes one puts it, and gone again after the period.
 *
 *     waiting --the key holds my name--> running --done--> waiting --close--> closed
 */
class WarmRounds<T> implements Closeable {
  readonly #rounds: Rounds<T>
  readonly #clock: Clock
  readonly #key: string
  readonly #closing = new AbortController()
  readonly #stopping: AbortSignal
  #timer: Timer | undefined
  #running: Promise<void> | undefined

  constructor(rounds: Rounds<T>) {
    this.#rounds = rounds
    this.#clock = rounds.clock ?? systemClock
    this.#key = `keep-warm:${rounds.name}`
    this.#stopping = AbortSignal.any([this.#closing.signal, ...(rounds.signal ? [rounds.signal] : [])])
    this.#look()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#timer?.cancel()
    await this.#running
  }

  /** Twenty looks per period: all but the one that finds the period over are answered by memory. */
  #lookLater(): void {
    if (this.#stopping.aborted) return
    const afterMs = (this.#rounds.everyMs / 20) * (0.5 + Math.random())
    this.#timer = this.#clock.after(afterMs, () => this.#look()).unref()
  }

  #look(): void {
    this.#running = this.#runIfMine().finally(() => this.#lookLater())
  }

  async #runIfMine(): Promise<void> {
    const { cache } = this.#rounds
    const mine = randomUUID()
    const sign = forOneCall(() => mine)
    const owner = await cache.getOrSet(this.#key, sign, this.#untilNext).catch(() => undefined)
    if (owner !== mine || this.#stopping.aborted) return
    const held = this.#hold(mine)
    await this.#run()
    held.cancel()
  }

  /** Whatever is usual in the cache, a name stays until the period is over: never renewed early, never longer. */
  get #untilNext(): EntryOptions<string> {
    return { ttl: this.#rounds.everyMs, grace: 0, strong: false, refreshAhead: false, earlyRefresh: false }
  }

  /** A round that takes longer than its period keeps the others waiting. */
  #hold(mine: string): Pick<Timer, 'cancel'> {
    const { cache, everyMs } = this.#rounds
    let timer: Timer
    const later = () => {
      timer = this.#clock
        .after(everyMs / 2, () => {
          cache.set(this.#key, mine, this.#untilNext).catch(() => {}) // then another may begin
          later()
        })
        .unref()
    }
    later()
    return { cancel: () => timer.cancel() }
  }

  async #run(): Promise<void> {
    const { cache, keys, how, report = ignoreReports } = this.#rounds
    const end = begin({ component: 'cache', name: cache.name, operation: 'warm' }, report, this.#clock)
    try {
      const all = typeof keys === 'function' ? await keys() : keys
      const options = { ...how, refresh: how.refresh ?? true, signal: this.#stopping }
      const result = await warm(cache, all, options)
      end(outcomeOf(result), result.failures[0]?.reason)
    } catch (failure) {
      end('failed', failure)
    }
  }
}

function outcomeOf({ failed, loaded, present, isComplete }: WarmResult): string {
  if (!isComplete) return 'stopped'
  if (failed === 0) return 'done'
  return loaded + present === 0 ? 'failed' : 'partly'
}
