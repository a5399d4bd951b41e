import type { RedisClient } from '@stepladder/core'
import { listenersFor } from './redis-nodes.ts'
import type { RedisSubscription, SubscribedClient } from './redis-subscription.ts'

/** A subscription at each server that takes writes, as these come and go. */
export class RedisSubscriptions {
  readonly #client: RedisClient
  readonly #open: (client: SubscribedClient) => RedisSubscription
  readonly #all = new Map<string, RedisSubscription>()

  constructor(client: RedisClient, open: (client: SubscribedClient) => RedisSubscription) {
    this.#client = client
    this.#open = open
    this.follow()
  }

  get size(): number {
    return this.#all.size
  }

  /** When the oldest of the latest beats was sent: of each, all that was said before has been heard. */
  get heardAt(): number {
    if (this.#all.size === 0) return Number.NEGATIVE_INFINITY
    return Math.min(...[...this.#all.values()].map(({ heardAt }) => heardAt))
  }

  /** Subscribes where a master is new, and lets go of who is none any more. */
  follow(): void {
    const listeners = listenersFor(this.#client)
    for (const [place, subscription] of this.#all) {
      if (listeners.has(place)) continue
      this.#all.delete(place)
      subscription.close()
    }
    for (const [place, duplicate] of listeners) {
      if (!this.#all.has(place)) this.#all.set(place, this.#open(duplicate()))
    }
  }

  reopenSilent(forMs: number): void {
    for (const subscription of this.#all.values()) {
      if (subscription.isSilent(forMs)) subscription.reopen()
    }
  }

  close(): void {
    for (const subscription of this.#all.values()) subscription.close()
    this.#all.clear()
  }
}
