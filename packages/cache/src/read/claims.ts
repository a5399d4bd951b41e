import { BreakerOpenError, exponentialBackoff } from '@stepladder/core'
import { uniqueName } from '../call/unique.ts'
import type { Wish } from '../call/wish.ts'
import type { TagSnapshot } from '../codec/stored-value.ts'
import { type Entry, type TagEpoch, unknownEpoch } from '../memory/entry.ts'
import type { Flight } from '../memory/flights.ts'
import type { CacheParts } from '../parts.ts'
import type { Lease } from '../store/store.ts'
import { LeaseKeeper, maxLoadMs } from './lease-keeper.ts'
import { admit, Look } from './lookup.ts'
import { Question } from './question.ts'
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

/** A value that was there. Of a class for the reason that `ReadValue` gives. */
export class Found {
  readonly fresh: Entry

  constructor(fresh: Entry) {
    this.fresh = fresh
  }
}

/** A value that was there, or the right to load one. */
export type Right = Found | { readonly claim: Claim }

/** What a claim came to; neither of both where somebody else loads. */
export type Outcome = Right | { readonly isTaken: true }

export function isTaken(outcome: Outcome): outcome is { readonly isTaken: true } {
  return 'isTaken' in outcome
}

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

  /** Asks for what is stored, and for the lease where nothing is, or in any case if it is forced. */
  ask(wish: Wish, isForced: boolean): Question {
    const { copies } = this.#parts
    const { key, policy } = wish
    // Twice what is needed, so that the store is told now and then and not at every load.
    const neededMs = policy.ttlMs + policy.graceMs + maxLoadMs
    const epochsMs = 2 * neededMs
    const now = copies.turn.now()
    const tags = copies.areTrusted && !policy.isStrong ? this.#unknown(wish.tags, now + neededMs) : wish.tags
    this.#lastToken += 1
    const token = `${this.#id}:${this.#lastToken}`
    return new Question({ key, token, isForced, tags, epochsMs }, this.#calls)
  }

  /** The question came to nothing. */
  giveUp(question: Question, failure: unknown): void {
    // It may be granted all the same, when the store comes to it, and would keep others waiting for nobody.
    if (!(failure instanceof BreakerOpenError)) this.#calls.release(question)
  }

  /**
   * What the answer to the first question comes to: at once, but where more has to be asked, or waited for. It waits
   * while another process loads, having said so by `onWait`: its lease ends with its load, or soon after its life.
   * Rejects when the store does.
   */
  weigh(
    look: Look,
    asked: Question,
    claimed: ClaimedWithEpochs,
    onWait?: () => void,
  ): Right | Promise<Right> {
    const outcome = this.#judge(look, asked, claimed)
    if (outcome instanceof Promise) return this.#orWait(look, outcome, onWait)
    return isTaken(outcome) ? this.#wait(look, onWait) : outcome
  }

  async #orWait(look: Look, judged: Promise<Outcome>, onWait?: () => void): Promise<Right> {
    const outcome = await judged
    return isTaken(outcome) ? this.#wait(look, onWait) : outcome
  }

  async #wait(look: Look, onWait?: () => void): Promise<Right> {
    onWait?.()
    const { flight, wish, budget } = look
    for (let attempt = 1; ; attempt++) {
      budget.exclude(await flight.pause(patience(attempt), this.#parts.limits.clock))
      const { asked, claimed } = await this.#askOnce(wish, budget, false)
      const outcome = await this.#judge(look, asked, claimed)
      if (!isTaken(outcome)) return outcome
    }
  }

  /** The lease beside a record that is still good, if nobody has it. Rejects when the store does. */
  async claimRefresh(flight: Flight<unknown>, wish: Wish, present: Entry): Promise<Outcome> {
    const { limits } = this.#parts
    const budget = new Budget(limits, limits.clock.monotonic())
    const { asked, claimed } = await this.#askOnce(wish, budget, true)
    const look = this.look(flight, wish, budget)
    this.#learn(look, asked, claimed)
    if (!claimed.isGranted) return { isTaken: true }
    const found = claimed.record && (await admit(this.#parts, look, claimed.record, claimed.epochs))
    // Somebody else was faster.
    const isNews = found && found.version !== present.version && this.#isFresh(found)
    if (isNews) return this.#giveBack(asked, found)
    return this.#grant(look, asked, claimed, found ?? undefined)
  }

  look(flight: Flight<unknown>, wish: Wish, budget: Budget): Look {
    return new Look(flight, wish, this.#calls, budget)
  }

  async #askOnce(
    wish: Wish,
    budget: Budget,
    isForced: boolean,
  ): Promise<{ readonly asked: Question; readonly claimed: ClaimedWithEpochs }> {
    let asked: Question | undefined
    try {
      return await budget.spend(async () => {
        asked = this.ask(wish, isForced)
        return { asked, claimed: (await asked.answers)[asked.place]! }
      })
    } catch (failure) {
      if (asked) this.giveUp(asked, failure)
      throw failure
    }
  }

  #judge(look: Look, asked: Question, claimed: ClaimedWithEpochs): Outcome | Promise<Outcome> {
    this.#learn(look, asked, claimed)
    const { record, epochs } = claimed
    if (record === null) return this.#grant(look, asked, claimed, undefined)
    const admitted = admit(this.#parts, look, record, epochs)
    if (admitted instanceof Promise) return admitted.then((found) => this.#judgeFound(look, found))
    return this.#judgeFound(look, admitted)
  }

  #judgeFound(look: Look, found: Entry | undefined): Outcome | Promise<Outcome> {
    return found && this.#isFresh(found) ? new Found(found) : this.#claimOld(look, found)
  }

  /** It is there, and too old: the lease is to be had all the same. */
  async #claimOld(look: Look, found: Entry | undefined): Promise<Outcome> {
    const { asked, claimed } = await this.#askOnce(look.wish, look.budget, true)
    this.#learn(look, asked, claimed)
    // Whoever had the lease before us may have filled the key since we looked.
    const filled = claimed.record && (await admit(this.#parts, look, claimed.record, claimed.epochs))
    if (filled && this.#isFresh(filled)) return this.#giveBack(claimed.isGranted ? asked : undefined, filled)
    return this.#grant(look, asked, claimed, found)
  }

  #learn({ flight }: Look, question: Question, { epochs }: ClaimedWithEpochs): void {
    if (question.tags.length === 0) return
    const { copies } = this.#parts
    // From when the flight began, which is before it was asked.
    const lastsUntil = flight.startedAt + question.epochsMs
    for (const tag of question.tags) {
      copies.tagOf(flight, tag, epochs?.get(tag) ?? unknownEpoch, lastsUntil)
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

  /** The lease, with the tags as they were before the load, never after. */
  #grant(
    { flight, wish, budget }: Look,
    lease: Question,
    { isGranted, epochs: found }: ClaimedWithEpochs,
    previous: Entry | undefined,
  ): Outcome {
    if (!isGranted) return { isTaken: true }
    const { copies } = this.#parts
    const epochs = wish.tags.map(
      (tag): TagSnapshot => [
        tag,
        // One that was forgotten since it was left out of the question is no epoch that the tag has.
        found?.get(tag) ?? copies.epochs.known(tag)?.epoch ?? unknownEpoch,
      ],
    )
    const tags = epochs.map(([tag, epoch]) => copies.tagOf(flight, tag, epoch))
    this.leases.hold(lease, copies.turn.now())
    flight.whenInvalidated(() => this.leases.release(lease))
    return { claim: { lease, epochs, tags, previous, budget } }
  }

  #giveBack(lease: Lease | undefined, fresh: Entry): Outcome {
    if (lease) this.#calls.release(lease)
    return new Found(fresh)
  }

  #isFresh({ freshUntil }: Entry): boolean {
    return this.#parts.copies.turn.now() < freshUntil
  }
}
