import { begin } from '@stepladder/core'
import type { Wish } from '../call/wish.ts'
import type { Answer } from '../memory/copies.ts'
import { type Entry, unknownEpoch } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import { type Claim, Claims, Found, isTaken, type Outcome, type Right } from './claims.ts'
import type { AnyLoad } from './loader.ts'
import { Loading } from './loading.ts'
import { admit, Look } from './lookup.ts'
import { Budget, type ClaimedWithEpochs, StoreCalls } from './store-calls.ts'

const miss: Answer = { value: undefined, outcome: 'miss' }
/** How soon a refresh that failed is tried again, in milliseconds. */
const retryRefreshMs = 1_000

/** What a read does that the memory of this process could not answer. */
export class ReadThrough {
  readonly #parts: CacheParts
  readonly #calls: StoreCalls | undefined
  readonly #claims: Claims | undefined
  readonly #loading: Loading

  constructor(parts: CacheParts) {
    this.#parts = parts
    this.#calls = parts.store && new StoreCalls(parts.store, parts.limits)
    this.#claims = this.#calls && new Claims(parts, this.#calls)
    this.#loading = new Loading(parts, this.#calls, this.#claims?.leases)
  }

  /** Asks the store, and nobody else. */
  async look(flight: Flight<Answer>, wish: Wish): Promise<Answer> {
    const { copies, journal, limits } = this.#parts
    const calls = this.#calls
    if (!calls || journal.covers(wish.key, [])) return miss
    try {
      const budget = new Budget(limits, limits.clock.monotonic())
      const record = await calls.get(wish.key)
      const found = record && (await admit(this.#parts, new Look(flight, wish, calls, budget), record))
      if (!found || limits.clock.monotonic() >= found.freshUntil) return miss
      copies.keep(wish.key, found, flight)
      return { value: found.value, outcome: 'fetched' }
    } catch {
      return miss // the call was reported
    }
  }

  /**
   * Asks the store, then the loader; what that brings is stored if nothing was invalidated meanwhile. `onWait` hears
   * when another process is waited for. Ends the flight.
   */
  load(flight: Flight<Answer>, wish: Wish, load: AnyLoad, onWait?: () => void): Promise<Answer> {
    const answer = this.#load(flight, wish, load, onWait)
    const { softMs, isStrong } = wish.policy
    const old = softMs === undefined || isStrong ? undefined : this.#parts.copies.graced(wish.key)
    return old ? this.#loading.orOld(flight, wish, answer, old, 0) : answer
  }

  /** Loads anew what is still served. Rejects when the loader does; nobody waits for it. */
  async refresh(flight: Flight<Answer>, wish: Wish, load: AnyLoad, present: Entry): Promise<Answer> {
    const end = this.#begin('refresh')
    try {
      const outcome = await this.#claimRefresh(flight, wish, present)
      if (isTaken(outcome)) {
        end('elsewhere')
        return { value: present.value, outcome: 'fetched' }
      }
      if (outcome instanceof Found) {
        this.#parts.copies.keep(wish.key, outcome.fresh, flight)
        end('fetched')
        return { value: outcome.fresh.value, outcome: 'fetched' }
      }
      const answer = await this.#loading.run(flight, wish, outcome.claim, load)
      end('loaded')
      return answer
    } catch (failure) {
      present.refreshAt = this.#parts.limits.clock.monotonic() + retryRefreshMs
      end('failed', failure)
      throw failure
    }
  }

  /** In one piece, and as few frames: each promise between a read and the answer of the store costs it some percent. */
  async #load(
    flight: Flight<Answer>,
    wish: Wish,
    load: AnyLoad,
    onWait: (() => void) | undefined,
  ): Promise<Answer> {
    try {
      const { copies, journal, limits } = this.#parts
      const claims = this.#claims
      const budget = new Budget(limits, flight.startedAt)
      let right: Right | undefined
      if (claims && !journal.covers(wish.key, wish.tags)) {
        const asked = claims.ask(wish, false)
        let claimed: ClaimedWithEpochs | undefined
        try {
          claimed = (await asked.answers)[asked.place]!
          const weighed = claims.weigh(claims.look(flight, wish, budget), asked, claimed, onWait)
          right = weighed instanceof Promise ? await weighed : weighed
        } catch (failure) {
          // The store is away, as the call reported. The loader still answers.
          if (!claimed) claims.giveUp(asked, failure)
        }
      }
      if (right instanceof Found) {
        if (!wish.policy.isStrong) copies.keep(wish.key, right.fresh, flight)
        return new Fetched(right.fresh.value)
      }
      // Not at once: the loader may call back into the cache, which must find this flight complete.
      if (!right) await undefined
      const claim = right?.claim ?? this.#withoutLease(flight, wish, budget)
      try {
        return await this.#loading.runInTime(flight, wish, claim, load, budget.startedAt)
      } catch (failure) {
        return this.#loading.standIn(flight, wish, claim, failure)
      }
    } finally {
      flight.end()
    }
  }

  async #claimRefresh(flight: Flight<Answer>, wish: Wish, present: Entry): Promise<Outcome> {
    if (this.#claims && !this.#parts.journal.covers(wish.key, wish.tags)) {
      try {
        return await this.#claims.claimRefresh(flight, wish, present)
      } catch {
        // As for a read, since one may have joined: the store is away, and the loader still answers.
      }
    }
    const { limits } = this.#parts
    const budget = new Budget(limits, limits.clock.monotonic())
    return { claim: { ...this.#withoutLease(flight, wish, budget), previous: present } }
  }

  #withoutLease(flight: Flight<Answer>, { tags }: Wish, budget: Budget): Claim {
    const { copies } = this.#parts
    return { epochs: [], tags: tags.map((tag) => copies.tagOf(flight, tag, unknownEpoch)), budget }
  }

  #begin(operation: string): (outcome: string, cause?: unknown) => void {
    const { name, report, clock } = this.#parts.limits
    return begin({ component: 'cache', name, operation }, report, clock)
  }
}

/** Of a class for the reason that `ReadValue` gives. */
class Fetched implements Answer {
  readonly value: unknown
  readonly outcome = 'fetched'

  constructor(value: unknown) {
    this.value = value
  }
}
