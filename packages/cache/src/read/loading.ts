import { begin } from '@stepladder/core'
import { lifetimeOf } from '../call/policy.ts'
import { uniqueName } from '../call/unique.ts'
import type { Wish } from '../call/wish.ts'
import { LoadTimeoutError } from '../errors.ts'
import type { Answer } from '../memory/copies.ts'
import { Entry } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import type { Lease } from '../store/store.ts'
import type { Claim } from './claims.ts'
import { type FreshValue, makeFresh } from './fresh-value.ts'
import type { LeaseKeeper } from './lease-keeper.ts'
import { type AnyLoad, LoadRun } from './loader.ts'
import type { StoreCalls } from './store-calls.ts'

/** A failing loader is asked again at most this often while an old value stands in for it. */
const retryLoadMs = 1_000

/** What the loader is heard with when nobody waits for it any more. */
const overdue = Symbol('overdue')

/** Runs loaders, and keeps what they bring unless it was overtaken by an invalidation. */
export class Loading {
  readonly #parts: CacheParts
  readonly #calls: StoreCalls | undefined
  readonly #leases: LeaseKeeper | undefined
  readonly #id = uniqueName()
  #lastVersion = 0
  readonly #noteFilled = (isFilled: boolean): boolean => {
    if (!isFilled) this.#note('overtaken')
    return isFilled
  }
  #hasWarned = false

  /** Without a store there are no calls and no leases. */
  constructor(parts: CacheParts, calls: StoreCalls | undefined, leases: LeaseKeeper | undefined) {
    this.#parts = parts
    this.#calls = calls
    this.#leases = leases
  }

  /** Rejects with what the loader rejects with. */
  async run(flight: Flight<Answer>, wish: Wish, claim: Claim, load: AnyLoad): Promise<Answer> {
    const { clock } = this.#parts.limits
    const startedAt = clock.monotonic()
    const context = new LoadRun(this.#old(flight, wish, claim))
    let value: unknown
    try {
      // Nobody else writes under our name, so what it is told of is what it returned.
      value = await load(context as never)
    } catch (failure) {
      if (claim.lease) this.#leases?.release(claim.lease)
      throw failure
    }
    const loadMs = clock.monotonic() - startedAt
    claim.budget.exclude(loadMs)
    const made = this.#make(wish, claim, { value, etag: context.newEtag, loadMs })
    const fresh = made instanceof Promise ? await made : made
    if (this.#mayStore(flight, claim, fresh)) {
      const isFilled =
        claim.lease && this.#calls ? await this.#fill(this.#calls, claim.lease, claim, fresh) : true
      if (isFilled && !wish.policy.isStrong) this.#parts.copies.keep(wish.key, fresh.entry, flight)
    }
    return new LoadedAnswer(value)
  }

  /**
   * The same, within the times that the policy gives: an old value stands in for a loader that is slow. The loader
   * itself goes on to its end. `startedAt` is when the read began.
   */
  runInTime(
    flight: Flight<Answer>,
    wish: Wish,
    claim: Claim,
    load: AnyLoad,
    startedAt: number,
  ): Promise<Answer> {
    const { hardMs, softMs } = wish.policy
    const running = this.run(flight, wish, claim, load)
    const inTime = hardMs === undefined ? running : this.#orTimeout(flight, running, hardMs)
    const old = softMs === undefined ? undefined : this.#old(flight, wish, claim)
    if (old) {
      const waited = this.#parts.limits.clock.monotonic() - startedAt
      const orStandIn = inTime.catch((failure: unknown) => this.standIn(flight, wish, claim, failure))
      return this.orOld(flight, wish, orStandIn, old, waited)
    }
    return inTime
  }

  /** The answer, or the old value when it does not come within the soft timeout, of which some has passed. */
  async orOld(
    flight: Flight<Answer>,
    { policy }: Wish,
    answer: Promise<Answer>,
    old: Entry,
    passedMs: number,
  ): Promise<Answer> {
    flight.lastUntil(answer)
    const first = await this.#within(answer, (policy.softMs ?? 0) - passedMs)
    // What was invalidated while it was waited for is not served for the sake of speed.
    if (first !== overdue || flight.state === 'invalidated' || !this.#parts.copies.mayStandIn(old))
      return first === overdue ? answer : first
    return { value: old.value, outcome: 'stale' }
  }

  async #orTimeout(flight: Flight<Answer>, running: Promise<Answer>, hardMs: number): Promise<Answer> {
    flight.lastUntil(running)
    const first = await this.#within(running, hardMs)
    if (first === overdue) throw new LoadTimeoutError(this.#parts.limits.name, hardMs)
    return first
  }

  /** The old value in place of a failing loader's. Throws the failure where there is none that was not invalidated. */
  standIn(flight: Flight<Answer>, wish: Wish, claim: Claim, failure: unknown): Answer {
    const { copies, limits } = this.#parts
    const old = this.#old(flight, wish, claim)
    if (!old) throw failure
    const retryAt = limits.clock.monotonic() + retryLoadMs
    copies.keep(wish.key, new Entry({ ...old, retryAt }), flight)
    return { value: old.value, outcome: 'stale', cause: failure }
  }

  #old(flight: Flight<Answer>, { key, policy }: Wish, { previous }: Claim): Entry | undefined {
    const { copies } = this.#parts
    const old = previous ?? (policy.isStrong ? undefined : copies.graced(key))
    return old && flight.state !== 'invalidated' && copies.mayStandIn(old) ? old : undefined
  }

  /** The answer, or `overdue` after so many milliseconds. */
  #within(answer: Promise<Answer>, ms: number): Promise<Answer | typeof overdue> {
    return new Promise((resolve, reject) => {
      const timer = this.#parts.limits.clock.after(Math.max(0, ms), () => resolve(overdue))
      answer.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  #mayStore(flight: Flight<Answer>, { lease }: Claim, fresh: FreshValue | undefined): fresh is FreshValue {
    if (!fresh) {
      if (lease) this.#leases?.release(lease)
      return false
    }
    if (flight.state !== 'invalidated') return true
    this.#note('overtaken')
    return false
  }

  /** Undefined for a value that is not to be kept, or cannot be. */
  #make(
    { key, policy }: Wish,
    { lease, epochs, tags }: Claim,
    loaded: { readonly value: unknown; readonly etag: string | undefined; readonly loadMs: number },
  ): FreshValue | undefined | Promise<FreshValue | undefined> {
    const { codec, jitter, limits } = this.#parts
    try {
      const lifetime = lifetimeOf(limits.name, loaded.value, policy)
      if (!lifetime) return undefined
      const version = lease?.token ?? `${this.#id}:${++this.#lastVersion}`
      const fresh = makeFresh(
        { ...loaded, key, policy, lifetime, version, epochs, tags },
        { codec, jitter, clock: limits.clock },
      )
      return fresh instanceof Promise ? fresh.catch((cause: unknown) => this.#refuse(cause)) : fresh
    } catch (cause) {
      return this.#refuse(cause)
    }
  }

  #refuse(cause: unknown): undefined {
    this.#note('unstorable', cause)
    this.#warn(cause)
  }

  /** False when the lease is gone: something was invalidated that this process has not heard of yet. */
  #fill(
    calls: StoreCalls,
    lease: Lease,
    { budget }: Claim,
    { record, keepMs }: FreshValue,
  ): Promise<boolean> {
    this.#leases?.letGo(lease)
    const { key, token } = lease
    return calls.fill({ key, token, record, forMs: keepMs }, budget).then(this.#noteFilled, isAway)
  }

  /** Said once: a cache that keeps nothing looks like one that works. */
  #warn(cause: unknown): void {
    if (this.#hasWarned || !(cause instanceof Error)) return
    this.#hasWarned = true
    process.emitWarning(`cache "${this.#parts.limits.name}": ${cause.message}`, { code: 'UNSTORABLE_VALUE' })
  }

  #note(outcome: string, cause?: unknown): void {
    const { name, report, clock } = this.#parts.limits
    begin({ component: 'cache', name, operation: 'fill' }, report, clock)(outcome, cause)
  }
}

/** Then this process may remember what it loaded. */
function isAway(): boolean {
  return true
}

/** Of a class for the reason that `ReadValue` gives. */
class LoadedAnswer implements Answer {
  readonly value: unknown
  readonly outcome = 'loaded'

  constructor(value: unknown) {
    this.value = value
  }
}
