import type { Balance } from '../cluster/cluster-options.ts'
import type { ToSupervisor } from '../link/messages.ts'
import type { NativeHandle, SocketName } from '../link/native-handle.ts'
import { type Candidate, fewestConnections, sameForClient } from './choose-worker.ts'
import type { Listener, ListeningSocket } from './listening-socket.ts'

export interface DispatchedSocketOptions {
  readonly key: string
  /** Bound and listening. */
  readonly handle: NativeHandle
  /** What the first worker wants the others to share, such as the keys of TLS tickets. */
  readonly data: unknown
  readonly balance: Balance
}

/** A worker that has not taken a connection for so long is passed over, in milliseconds: its loop is busy. */
const stuckMs = 250
/** As many connections wait here when no worker can take them; the kernel's queue holds as many more. */
const mostWaiting = 1_024

/** A worker, and the connections that it has or is about to have. */
class Seat implements Candidate {
  readonly listener: Listener
  readonly offered: Map<number, { readonly client: NativeHandle; readonly sinceMs: number }> = new Map()
  taken = 0

  constructor(listener: Listener) {
    this.listener = listener
  }

  get instance(): number {
    return this.listener.instance
  }

  get connections(): number {
    return this.taken + this.offered.size
  }

  /** Those that were offered stand in order, the oldest first. */
  isStuck(nowMs: number): boolean {
    const [oldest] = this.offered.values()
    return oldest !== undefined && nowMs - oldest.sinceMs > stuckMs
  }
}

/**
 * A socket that the supervisor accepts from. Each connection is handed to one worker:
 *
 *   accepted --> offered --the worker takes it--> taken --closed--> gone
 *                   |  <--refused, or the worker died--
 *
 * Until a worker says that it took a connection, the supervisor keeps its end open, so that none is lost
 * with a worker that dies: it is offered to another.
 */
export class DispatchedSocket implements ListeningSocket {
  readonly #seats = new Map<Listener, Seat>()
  readonly #waiting: NativeHandle[] = []
  readonly #options: DispatchedSocketOptions
  #lastId = 0

  constructor(options: DispatchedSocketOptions) {
    this.#options = options
    options.handle.onconnection = (error, client) => {
      if (error === 0) this.#offer(client)
    }
  }

  get listeners(): ReadonlySet<Listener> {
    return new Set(this.#seats.keys())
  }

  join(listener: Listener, id: number): void {
    const { key, handle, data } = this.#options
    const name: SocketName = {}
    handle.getsockname?.(name)
    listener.send({ stepladder: 'socket', id, key, data, name })
    this.#seats.set(listener, new Seat(listener))
    for (const client of this.#waiting.splice(0)) this.#offer(client)
  }

  /** One that a worker passes on is handed out like one that has just come. */
  pass(client: NativeHandle): void {
    this.#offer(client)
  }

  settle(listener: Listener, { id, isTaken }: Extract<ToSupervisor, { stepladder: 'accepted' }>): void {
    const seat = this.#seats.get(listener)
    const offer = seat?.offered.get(id)
    if (!seat || !offer) return
    seat.offered.delete(id)
    if (isTaken) {
      seat.taken += 1
      offer.client.close()
    } else {
      this.#offer(offer.client)
    }
  }

  /** A connection of the worker has closed. */
  release(listener: Listener): void {
    const seat = this.#seats.get(listener)
    if (seat) seat.taken -= 1
  }

  leave(listener: Listener): void {
    const seat = this.#seats.get(listener)
    this.#seats.delete(listener)
    for (const { client } of seat?.offered.values() ?? []) this.#offer(client)
  }

  close(): void {
    this.#options.handle.close()
    for (const client of this.#waiting.splice(0)) client.close()
  }

  #offer(client: NativeHandle): void {
    const nowMs = performance.now()
    const serving = [...this.#seats.values()].filter(({ listener }) => isOpen(listener))
    const quick = serving.filter((seat) => !seat.isStuck(nowMs))
    const seat = this.#choose(client, quick.length > 0 ? quick : serving)
    if (!seat) {
      if (this.#waiting.push(client) > mostWaiting) this.#waiting.shift()?.close()
      return
    }
    this.#lastId += 1
    seat.offered.set(this.#lastId, { client, sinceMs: nowMs })
    seat.listener.send({ stepladder: 'connection', key: this.#options.key, id: this.#lastId }, client)
  }

  #choose(client: NativeHandle, seats: readonly Seat[]): Seat | undefined {
    if (this.#options.balance === 'ip-hash') {
      const peer: SocketName = {}
      client.getpeername?.(peer)
      return sameForClient(seats, peer.address ?? '')
    }
    const seat = fewestConnections(seats)
    if (seat) {
      // To the end of the row, so that equals take turns.
      this.#seats.delete(seat.listener)
      this.#seats.set(seat.listener, seat)
    }
    return seat
  }
}

/** It asked for this socket, so it listens, also where its supervisor has not heard yet that it serves. */
function isOpen({ state }: Listener): boolean {
  return state === 'starting' || state === 'serving'
}
