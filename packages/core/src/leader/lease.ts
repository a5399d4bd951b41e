import { exponentialBackoff } from '../backoff.ts'
import { type Clock, systemClock, type Timer } from '../clock.ts'
import type { Closeable } from '../closeable.ts'
import { begin, type Reporter } from '../report.ts'
import { retry } from '../retry.ts'

/** Where the lease of one name is kept, on behalf of one machine. */
export interface LeaseStore extends Closeable {
  /**
   * Takes the lease for so many milliseconds, unless another machine has it; resolves to its token, greater than
   * that of every lease before it, or to undefined. It may be taken from a former holder on the same machine.
   */
  take(ttlMs: number): Promise<number | undefined>
  /** Resolves to false when the lease with this token is over. */
  renew(token: number, ttlMs: number): Promise<boolean>
  /** Ends it, so that the next need not wait until it runs out. */
  release(token: number): Promise<void>
}

export interface LeaseOptions {
  readonly store: LeaseStore
  /** Under which the lease is reported. */
  readonly name: string
  readonly ttlMs: number
  readonly report: Reporter
  readonly clock?: Clock | undefined
}

/** The holder stops trusting its lease so early: its clock may run slower than the store's, and it needs time to stop. */
const trustedPart = 0.8
/** In a lease's time it is renewed so often: one that fails is repeated before the trust is over. */
const renewalsPerLease = 4
/** Somebody who waits for a lease asks so often in its time, and not more rarely than each half second. */
const asksPerLease = 20
const longestWaitMs = 500

/** Waits until the lease is to be had; rejects with the signal's reason. */
export async function takeLease(options: LeaseOptions, signal: AbortSignal): Promise<Lease> {
  const { ttlMs, clock } = options
  const waitMs = Math.min(longestWaitMs, ttlMs / asksPerLease)
  return retry(() => tryToTake(options, signal), {
    attempts: Number.POSITIVE_INFINITY,
    backoff: exponentialBackoff({ baseMs: waitMs, maxMs: waitMs }),
    signal,
    clock,
  })
}

async function tryToTake(options: LeaseOptions, signal: AbortSignal): Promise<Lease> {
  const { store, name, ttlMs, report, clock = systemClock } = options
  const end = begin({ component: 'cluster', name, operation: 'take-lease' }, report, clock)
  // Before it is asked for: the store counts from later on, however long the answer takes.
  const askedAt = clock.monotonic()
  let token: number | undefined
  try {
    token = await store.take(ttlMs)
  } catch (failure) {
    end('failed', failure)
    throw failure
  }
  end(token === undefined ? 'held-elsewhere' : 'taken')
  if (token === undefined) throw new Error(`The lease "${name}" is held elsewhere`)
  const lease = new Lease(token, askedAt, options)
  if (!signal.aborted) return lease
  await lease.release()
  throw signal.reason
}

/**
 * A lease that renews itself, and says when it can be trusted no longer: always before the store lets another
 * have it, by a clock that never jumps and that nobody else need agree with. A process that was stopped finds
 * out when it runs again; until then only its token tells that it is late.
 */
export class Lease {
  readonly token: number
  readonly #options: LeaseOptions
  readonly #clock: Clock
  readonly #lost = new AbortController()
  readonly #timers = new Map<'renewal' | 'end', Timer>()
  #trustedUntil = 0

  constructor(token: number, askedAt: number, options: LeaseOptions) {
    this.token = token
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#trustFrom(askedAt)
    this.#renewLater()
  }

  /** Aborted when the lease is lost, or will be before it can be renewed. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Whether it can be trusted now; knows it also in a process that was stopped and whose timers have not rung yet. */
  get isHeld(): boolean {
    return !this.lost.aborted && this.#clock.monotonic() < this.#trustedUntil
  }

  /** Lets the next have it; never rejects, since a lease that cannot be released runs out. */
  async release(): Promise<void> {
    this.#lose()
    const { store } = this.#options
    const end = this.#begin('release-lease')
    await store.release(this.token).then(
      () => end('released'),
      (failure: unknown) => end('failed', failure),
    )
  }

  #trustFrom(askedAt: number): void {
    this.#trustedUntil = askedAt + this.#options.ttlMs * trustedPart
    this.#set('end', this.#trustedUntil - this.#clock.monotonic(), () => this.#lose())
  }

  #renewLater(): void {
    this.#set('renewal', this.#options.ttlMs / renewalsPerLease, () => this.#renew())
  }

  async #renew(): Promise<void> {
    const { store, ttlMs } = this.#options
    const askedAt = this.#clock.monotonic()
    // This process was stopped for longer than its lease, and this timer happens to ring first.
    if (!this.isHeld) return this.#lose()
    const end = this.#begin('renew-lease')
    try {
      const isHeld = await store.renew(this.token, ttlMs)
      end(isHeld ? 'renewed' : 'lost')
      if (this.lost.aborted) return
      if (!isHeld) return this.#lose()
      this.#trustFrom(askedAt)
    } catch (failure) {
      end('failed', failure)
    }
    if (!this.lost.aborted) this.#renewLater()
  }

  #lose(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#lost.abort()
  }

  #set(name: 'renewal' | 'end', ms: number, task: () => void): void {
    this.#timers.get(name)?.cancel()
    this.#timers.set(name, this.#clock.after(ms, task))
  }

  #begin(operation: string): ReturnType<typeof begin> {
    const { name, report } = this.#options
    return begin({ component: 'cluster', name, operation }, report, this.#clock)
  }
}
