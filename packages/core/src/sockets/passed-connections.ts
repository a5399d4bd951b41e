import type { ToSupervisor } from '../link/messages.ts'
import type { NativeHandle } from '../link/native-handle.ts'
import type { Listener } from './listening-socket.ts'

export interface PassedConnectionsOptions {
  readonly key: string
  /** Those that listen there, one that goes included. */
  readonly listeners: ReadonlySet<Listener>
}

/**
 * Connections that a worker has passed on as it goes, while nothing was under way on them. Each is offered to
 * the other workers in turn until one takes it; until then the supervisor keeps its end open:
 *
 *   passed --> offered --the worker takes it--> taken
 *                 |  <--refused, or the worker died--
 *                 --nobody serves--> closed
 */
export class PassedConnections {
  readonly #options: PassedConnectionsOptions
  readonly #offers = new Map<number, { readonly client: NativeHandle; readonly to: Listener }>()
  #lastId = 0

  constructor(options: PassedConnectionsOptions) {
    this.#options = options
  }

  offer(client: NativeHandle): void {
    const { key, listeners } = this.#options
    const serving = [...listeners].filter(({ state }) => state === 'serving')
    const to = serving[this.#lastId % serving.length]
    if (!to) {
      client.close()
      return
    }
    this.#lastId += 1
    this.#offers.set(this.#lastId, { client, to })
    to.send({ stepladder: 'connection', key, id: this.#lastId }, client)
  }

  settle({ id, isTaken }: Extract<ToSupervisor, { stepladder: 'accepted' }>): void {
    const offer = this.#offers.get(id)
    if (!offer) return
    this.#offers.delete(id)
    if (isTaken) offer.client.close()
    else this.offer(offer.client)
  }

  /** What was offered to this worker is offered to others. */
  leave(listener: Listener): void {
    for (const [id, { client, to }] of this.#offers) {
      if (to !== listener) continue
      this.#offers.delete(id)
      this.offer(client)
    }
  }

  close(): void {
    for (const { client } of this.#offers.values()) client.close()
    this.#offers.clear()
  }
}
