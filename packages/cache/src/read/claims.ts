import { BreakerOpenError, exponentialBackoff } from '@stepladder/core'
import { uniqueName } from '../call/unique.ts'
import type { Wish } from '../call/wish.ts'
import type { TagSnapshot } from '../codec/stored-value.ts'
import { type Entry, type TagEpoch, unknownEpoch } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import type { Lease } from '../store/store.ts'
import { LeaseKeeper, maxLoadMs } from './lease-keeper.ts'
import { admit, type Look } from './lookup.ts'
import { Budget, type ClaimedWithEpochs, type StoreCalls } from './store-calls.ts'

/** The right to load, with what was known when it was given. */
export interface Claim {
  /** Without one the value may be kept in this process only. */
  readonly lease?: Lease | undefined
  /** The tags as they were before the load. */
  readonly epochs: readonly TagSnapshot[]
  readonly tags: readonly TagEpoch[]
  /** What the load replaces: older than its TTL, or soon to be. */
  readonly previous?: Entry | undefined
  readonly budget: Budget
}

/** A value that was there, or the right to load one. */
export type Right = { readonly fresh: Entry } | { readonly claim: Claim }

/** What a claim came to; neither of both where somebody else loads. */
export type Outcome = Right | { readonly isTaken: true }

/** How long who waits for another process's load waits between looks. */
const patience = exponentialBackoff({ baseMs: 20, maxMs: 100 })

const noTags: readonly string[] = []

/** Claims keys at the store for the reads of this process: what is stored, or the lease to load it. */
export class Claims {
  readonly leases: LeaseKeeper
  readonly #parts: CacheParts
  readonly #calls: StoreCalls
  readonly #id = uniqueName()
  #lastToken = 0

  constructor(parts: CacheParts, calls: StoreCalls) {
    this.#parts = parts
    this.#calls = calls
    this.leases = new LeaseKeeper(calls, parts.limits.clock)
  }

  /**
   * Waits while another process loads, having said so by `onWait`: its lease ends with its load, or soon after its
   * life. Rejects when the store does.
   */
  async claim(flight: Flight<unknown>, wish: Wish, budget: Budget, onWait?: () => void): Promise<Right> {
    const look = this.#look(flight, wish, budget)
    for (let attempt = 1; ; attempt++) {
      const lease = this.#newLease(wish.key)
      const claimed = await this.#ask(flight, wish, lease, budget, false)
      const admitted = claimed.record ? admit(this.#parts, look, claimed.record, claimed.epochs) : undefined
      const found = admitted instanceof Promise ? await admitted : admitted
      if (found && this.#isFresh(found)) return { fresh: found }
      const outcome = claimed.record
        ? await this.#claimOld(look, wish, lease, found)
        : this.#asGranted(look, wish, lease, claimed, undefined)
      if (!('isTaken' in outcome)) return outcome
      if (attempt === 1) onWait?.()
      budget.exclude(await flight.pause(patience(attempt), this.#parts.limits.clock))
    }
  }

  /** The lease beside a record that is still good, if nobody has it. Rejects when the store does. */
  async claimRefresh(flight: Flight<unknown>, wish: Wish, present: Entry): Promise<Outcome> {
    const budget = new Budget(this.#parts.limits)
    const lease = this.#newLease(wish.key)
    const claimed = await this.#ask(flight, wish, lease, budget, true)
    if (!claimed.isGranted) return { isTaken: true }
    const look = this.#look(flight, wish, budget)
    const found = claimed.record && (await admit(this.#parts, look, claimed.record, claimed.epochs))
    // Somebody else was faster.
    const isNews = found && found.version !== present.version && this.#isFresh(found)
    if (isNews) return this.#giveBack(lease, found)
    return { claim: { ...this.#hold(flight, wish, lease, claimed), previous: found ?? undefined, budget } }
  }

  /** It is there, and too old: the lease is to be had all the same. */
  async #claimOld(look: Look, wish: Wish, lease: Lease, found: Entry | undefined): Promise<Outcome> {
    const { flight, budget } = look
    const claimed = await this.#ask(flight, wish, lease, budget, true)
    // Whoever had the lease before us may have filled the key since we looked.
    const filled = claimed.record && (await admit(this.#parts, look, claimed.record, claimed.epochs))
    if (filled && this.#isFresh(filled)) return this.#giveBack(claimed.isGranted ? lease : undefined, filled)
    return this.#asGranted(look, wish, lease, claimed, found)
  }

  #asGranted(
    { flight, budget }: Look,
    wish: Wish,
    lease: Lease,
    claimed: ClaimedWithEpochs,
    previous: Entry | undefined,
  ): Outcome {
    if (!claimed.isGranted) return { isTaken: true }
    return { claim: { ...this.#hold(flight, wish, lease, claimed), previous, budget } }
  }

  /** With the epochs of those tags that have to be asked for: the others are known, and last long enough. */
  async #ask(
    flight: Flight<unknown>,
    { tags: all, policy }: Wish,
    lease: Lease,
    budget: Budget,
    isForced: boolean,
  ): Promise<ClaimedWithEpochs> {
    const { copies } = this.#parts
    // Twice what is needed, so that the store is told now and then and not at every load.
    const neededMs = policy.ttlMs + policy.graceMs + maxLoadMs
    const epochsMs = 2 * neededMs
    const now = copies.turn.now()
    const tags = copies.areTrusted && !policy.isStrong ? this.#unknown(all, now + neededMs) : all
    const { key, token } = lease
    try {
      const claimed = await budget.spend(() => this.#calls.claim({ key, token, isForced, tags, epochsMs }))
      for (const tag of tags) {
        copies.tagOf(flight, tag, claimed.epochs.get(tag) ?? unknownEpoch, now + epochsMs)
      }
      return claimed
    } catch (failure) {
      // It may be granted all the same, when the store comes to it, and would keep others waiting for nobody.
      if (!(failure instanceof BreakerOpenError)) this.#calls.release(lease)
      throw failure
    }
  }

  /** Those tags whose epoch this process does not know to last until then. */
  #unknown(tags: readonly string[], until: number): readonly string[] {
    const { epochs } = this.#parts.copies
    let unknown = noTags
    for (const tag of tags) {
      if ((epochs.known(tag)?.lastsUntil ?? 0) < until) unknown = [...unknown, tag]
    }
    return unknown
  }

  /** The tags with it: as they were before the load, never after. */
  #hold(
    flight: Flight<unknown>,
    { tags: all }: Wish,
    lease: Lease,
    { epochs: found }: ClaimedWithEpochs,
  ): Pick<Claim, 'lease' | 'epochs' | 'tags'> {
    const { copies } = this.#parts
    const epochs = all.map(
      (tag): TagSnapshot => [
        tag,
        // One that was forgotten since it was left out of the question is no epoch that the tag has.
        found.get(tag) ?? copies.epochs.known(tag)?.epoch ?? unknownEpoch,
      ],
    )
    const tags = epochs.map(([tag, epoch]) => copies.tagOf(flight, tag, epoch))
    this.leases.hold(lease)
    flight.whenInvalidated(() => this.leases.release(lease))
    return { lease, epochs, tags }
  }

  #giveBack(lease: Lease | undefined, fresh: Entry): Outcome {
    if (lease) this.#calls.release(lease)
    return { fresh }
  }

  #newLease(key: string): Lease {
    this.#lastToken += 1
    return { key, token: `${this.#id}:${this.#lastToken}` }
  }

  #look(flight: Flight<unknown>, { key, policy }: Wish, budget: Budget): Look {
    return { flight, key, policy, budget, calls: this.#calls }
  }

  #isFresh({ freshUntil }: Entry): boolean {
    return this.#parts.copies.turn.now() < freshUntil
  }
}
