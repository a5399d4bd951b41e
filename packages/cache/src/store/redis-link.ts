import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import { OwnWrites } from './own-writes.ts'

/**
 * What the store and the bus of one cache know of each other: under which name they speak, what they wrote, so that
 * the bus does not take its echo for somebody else's word, and whether Redis came back as another.
 */
export class RedisLink {
  readonly id: string = randomUUID()
  readonly writes: OwnWrites
  /** Called when Redis came back with data that may be older than what was known: nothing known holds any more. */
  onIncident: () => void = () => {}
  #lastMessage = 0

  constructor(clock: Clock = systemClock) {
    this.writes = new OwnWrites(clock)
  }

  /** An invalidation as it is told on the channel. */
  message({ keys, tags }: Invalidation): string {
    this.#lastMessage += 1
    return JSON.stringify({ from: this.id, n: this.#lastMessage, keys, tags })
  }
}
