import { openWorkerChannel, type WorkerChannel } from '@stepladder/core'
import { type Bus, type BusListener, type Invalidation, readInvalidation } from './bus.ts'

/**
 * Between the workers of one machine, without a server: `publish` resolves when every other worker has
 * dropped what was invalidated, so there is nothing to fence. A process without workers is alone.
 */
export class WorkerChannelBus implements Bus {
  readonly heardUntil: number = Number.POSITIVE_INFINITY
  readonly #name: string
  #channel: WorkerChannel | undefined

  constructor(name: string) {
    this.#name = name
  }

  subscribe(listener: BusListener): void {
    const onMissed = () => listener.onGap()
    const onMessage = (message: unknown) => {
      const invalidation = readInvalidation(message)
      if (invalidation) listener.onInvalidation(invalidation)
      else listener.onGap()
    }
    this.#channel = openWorkerChannel(`stepladder:cache:${this.#name}`, onMessage, { onMissed })
  }

  async publish({ keys, tags }: Invalidation): Promise<void> {
    await this.#channel?.broadcast({ keys, tags })
  }

  async close(): Promise<void> {
    await this.#channel?.close()
  }
}
