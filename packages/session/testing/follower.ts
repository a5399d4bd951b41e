import { ok } from 'node:assert/strict'
import { sleep, systemClock } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import type { ChangeFeed, ChangeListener } from '../src/near/change-feed.ts'
import type { ContractSettings } from './session-backend-tools.ts'

export type FollowerSettings = Pick<ContractSettings, 'fenceMs' | 'recoverWithinMs'>

/** Who listens to a feed as memory near the app does, and holds it to what it claims. */
export class Follower implements ChangeListener {
  /** How many times it was told anything. */
  told = 0
  readonly feed: ChangeFeed
  readonly #settings: FollowerSettings
  /** When it was told of each record at last, and of a gap, by the monotonic clock. */
  readonly #toldAt = new Map<string, number>()
  #gapAt = Number.NEGATIVE_INFINITY

  constructor(backend: SessionBackend, settings: FollowerSettings) {
    ok(backend.follow, 'this backend does not tell of changes')
    this.#settings = settings
    const { fenceMs } = settings
    this.feed = backend.follow(this, { fenceMs, clock: systemClock, onRefused: this.#refuse })
  }

  onChange(id: string): void {
    this.told += 1
    this.#toldAt.set(id, systemClock.monotonic())
  }

  onGap(): void {
    this.told += 1
    this.#gapAt = systemClock.monotonic()
  }

  get trusts(): boolean {
    return systemClock.monotonic() < this.feed.heardUntil
  }

  /** Until memory may be trusted. */
  async begin(): Promise<void> {
    const { recoverWithinMs } = this.#settings
    const giveUpAt = systemClock.monotonic() + recoverWithinMs
    while (!this.trusts) {
      ok(systemClock.monotonic() < giveUpAt, `memory may not be trusted after ${recoverWithinMs} ms`)
      await sleep(2)
    }
  }

  /**
   * Until it was told of the change of this record that began at `begunAt` and was acknowledged just now. Rejects as soon as
   * the feed claims that it has told of all changes until now, and has not.
   */
  async hear(id: string, begunAt: number, what = `the change of "${id}"`): Promise<void> {
    const { fenceMs, recoverWithinMs } = this.#settings
    const acknowledgedAt = systemClock.monotonic()
    while (!this.#hasHeard(id, begunAt)) {
      const claimsUpTo = this.feed.heardUntil - fenceMs
      ok(claimsUpTo < acknowledgedAt, `memory may be trusted though it was not told of ${what}`)
      ok(systemClock.monotonic() - acknowledgedAt < recoverWithinMs, `nobody told of ${what}`)
      await sleep(2)
    }
  }

  #hasHeard(id: string, since: number): boolean {
    return this.#gapAt >= since || (this.#toldAt.get(id) ?? Number.NEGATIVE_INFINITY) >= since
  }

  readonly #refuse = (cause: unknown): void => {
    throw new Error('the place refuses to tell of changes', { cause })
  }
}
